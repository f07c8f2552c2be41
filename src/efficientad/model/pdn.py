"""Patch description networks: the paper's teacher and student (arXiv 2303.14535, tables 6 and 7).

Four convolutions without padding, so that every output describes one 33 x 33 px patch, one patch every
4 px: output (i, j) sees pixels 4i .. 4i + 32 and is centred at pixel 4i + 16.
"""

import torch
from torch import Tensor, nn

from efficientad.errors import ParamsError
from efficientad.model.sizes import PDNSize

TEACHER_CHANNELS = 384
STUDENT_CHANNELS = 2 * TEACHER_CHANNELS  # the first half predicts the teacher, the second the autoencoder
RECEPTIVE_FIELD_PX = 33
STRIDE_PX = 4


def build_pdn(size: PDNSize, out_channels: int) -> nn.Sequential:
    """Build a PDN: normalised image (B, 3, H, W) -> features (B, out_channels, H/4 - 8, W/4 - 8).

    Raises ParamsError when `size` is neither "S" nor "M". Weights are He-initialised (He et al. 2015):
    with torch's default gain the signal's variance falls by a factor of six in each layer, and short
    trainings never recover from it.
    """
    if size == "S":
        pdn = nn.Sequential(
            nn.Conv2d(3, 128, 4), nn.ReLU(inplace=True), nn.AvgPool2d(2),  # 256 -> 253 -> 126
            nn.Conv2d(128, 256, 4), nn.ReLU(inplace=True), nn.AvgPool2d(2),  # 123 -> 61
            nn.Conv2d(256, 256, 3), nn.ReLU(inplace=True),  # 59
            nn.Conv2d(256, out_channels, 4),  # 56
        )  # fmt: skip
    elif size == "M":
        pdn = nn.Sequential(
            nn.Conv2d(3, 256, 4), nn.ReLU(inplace=True), nn.AvgPool2d(2),  # 256 -> 253 -> 126
            nn.Conv2d(256, 512, 4), nn.ReLU(inplace=True), nn.AvgPool2d(2),  # 123 -> 61
            nn.Conv2d(512, 512, 1), nn.ReLU(inplace=True),  # 61
            nn.Conv2d(512, 512, 3), nn.ReLU(inplace=True),  # 59
            nn.Conv2d(512, out_channels, 4), nn.ReLU(inplace=True),  # 56
            nn.Conv2d(out_channels, out_channels, 1),  # 56
        )  # fmt: skip
    else:
        raise ParamsError(f"expected a PDN size S or M, got {size!r}; set `sizes` in params.yaml")
    initialise_he(pdn)
    return pdn


def count_layers(pdn: nn.Sequential, convolutions: int) -> int:
    """Return how many layers stand before the convolution after the first `convolutions`; 0 for none.

    >>> count_layers(build_pdn("S", 384), 2)
    6
    """
    if convolutions == 0:
        return 0
    return [index for index, layer in enumerate(pdn) if isinstance(layer, nn.Conv2d)][convolutions]


def initialise_he(network: nn.Module) -> None:
    """Draw every convolution's weights from N(0, 2 / fan_in) and zero its biases, in place."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def split_student(features: Tensor) -> tuple[Tensor, Tensor]:
    """Split student features (B, 768, h, w) into (teacher's prediction, autoencoder's prediction)."""
    teacher_part, autoencoder_part = torch.split(features, TEACHER_CHANNELS, dim=1)
    return teacher_part, autoencoder_part
