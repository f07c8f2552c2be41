import pytest
import torch
from torch import nn

from efficientad.errors import ParamsError
from efficientad.model.pdn import RECEPTIVE_FIELD_PX, STRIDE_PX, build_pdn, split_student

# Weights and biases counted by hand from the paper's tables 6 and 7.
PARAMETERS = {
    ("S", 384): 128 * 49 + 256 * (16 * 128 + 1) + 256 * (9 * 256 + 1) + 384 * (16 * 256 + 1),
    ("S", 768): 128 * 49 + 256 * (16 * 128 + 1) + 256 * (9 * 256 + 1) + 768 * (16 * 256 + 1),
    ("M", 384): 256 * 49 + 512 * (16 * 256 + 1) + 512 * 513 + 512 * (9 * 512 + 1) + 384 * (16 * 512 + 1) + 384 * 385,
    ("M", 768): 256 * 49 + 512 * (16 * 256 + 1) + 512 * 513 + 512 * (9 * 512 + 1) + 768 * (16 * 512 + 1) + 768 * 769,
}  # fmt: skip


@pytest.mark.parametrize(("size", "channels"), PARAMETERS)
def test_parameter_counts_are_those_of_the_paper(size, channels):
    pdn = build_pdn(size, channels)
    assert sum(p.numel() for p in pdn.parameters()) == PARAMETERS[size, channels]


@pytest.mark.parametrize("size", ["S", "M"])
@pytest.mark.parametrize(("side", "cells"), [(256, 56), (64, 8), (384, 88)])
def test_output_has_a_cell_every_four_pixels_less_eight(size, side, cells):
    assert build_pdn(size, 384)(torch.zeros(1, 3, side, side)).shape == (1, 384, cells, cells)


@pytest.mark.parametrize("size", ["S", "M"])
def test_a_cell_sees_exactly_its_patch(size):
    pdn, i = build_pdn(size, 8), 3
    image = torch.rand(1, 3, 64, 64, requires_grad=True)
    pdn(image)[0, :, i, i].sum().backward()
    rows = image.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    assert int(rows.min()) >= STRIDE_PX * i
    assert int(rows.max()) <= STRIDE_PX * i + RECEPTIVE_FIELD_PX - 1
    assert len(rows) == RECEPTIVE_FIELD_PX


@pytest.mark.parametrize("size", ["S", "M"])
def test_signal_survives_all_layers_at_initialisation(size):
    torch.manual_seed(0)
    with torch.no_grad():
        features = build_pdn(size, 384)(torch.randn(1, 3, 64, 64))
    assert 0.2 < float(features.std()) < 5


def test_unknown_size_is_a_params_error():
    with pytest.raises(ParamsError, match="expected a PDN size S or M, got 'XL'"):
        build_pdn("XL", 384)


def test_split_student_halves_the_channels():
    features = torch.arange(768.0).view(1, 768, 1, 1)
    teacher_part, autoencoder_part = split_student(features)
    assert (float(teacher_part.max()), float(autoencoder_part.min())) == (383, 384)


def test_there_is_no_padding():
    assert all(m.padding == (0, 0) for m in build_pdn("M", 384) if isinstance(m, nn.Conv2d))
