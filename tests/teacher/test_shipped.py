"""The weights that come with the package: they load, are small, and their card says what their header says."""

import pytest
import torch

from efficientad.model.weights import load_header, load_teacher
from efficientad.teacher.shipped import locate_shipped_teacher

LARGEST_MB = {"S": 12, "M": 20}


@pytest.mark.parametrize("size", LARGEST_MB)
def test_a_shipped_teacher_is_small_and_sees(size):
    path = locate_shipped_teacher(size)
    assert path.stat().st_size < LARGEST_MB[size] * 1e6
    teacher = load_teacher(path, size)
    assert {parameter.dtype for parameter in teacher.parameters()} == {torch.float32}
    features = teacher(torch.randn(1, 3, 64, 64))
    assert features.shape == (1, 384, 8, 8)
    assert float(features.std()) > 0.1


@pytest.mark.parametrize("size", LARGEST_MB)
def test_the_card_says_what_the_header_says(size):
    header = load_header(locate_shipped_teacher(size))
    card = (locate_shipped_teacher(size).parent / "README.md").read_text("utf-8").split(f"## {size}\n")[1]
    assert f"| error on the held-out images | {header['held_out_mse']:.3f} " in card
    assert f"{header['steps']:,} steps of {header['batch_size']} images" in card
    assert f"{header['photographs']:,} photographs" in card
