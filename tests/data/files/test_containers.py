"""Damaged bytes are refused in words, whatever the damage."""

import io

import numpy as np
import pytest
from PIL import Image

from efficientad.data.files.containers import inspect_container


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff", "bmp", "webp"])
def test_no_damage_is_an_error_of_another_kind(kind: str):
    rng = np.random.default_rng(0)
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)).save(file, kind)
    whole = np.frombuffer(file.getvalue(), np.uint8)
    assert inspect_container(whole.tobytes()).kind == kind
    for _ in range(500):
        damaged = whole[: rng.integers(0, len(whole) + 1)].copy() if rng.random() < 0.5 else whole.copy()
        for place in rng.integers(0, max(1, min(len(damaged), 120)), rng.integers(0, 4)):
            damaged[place : place + 1] = rng.choice([0, 1, 4, 127, 255])
        try:
            inspect_container(damaged.tobytes())
        except ValueError as error:
            assert len(str(error)) > 5


def test_a_png_that_begins_with_its_end_is_damaged():
    with pytest.raises(ValueError, match="does not begin with a PNG header"):
        inspect_container(b"\x89PNG\r\n\x1a\n\0\0\0\0IEND\xaeB`\x82")
