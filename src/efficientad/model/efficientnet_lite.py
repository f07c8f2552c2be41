"""EfficientNet-Lite, a depthwise network made for CPUs and for INT8 (Tan and Le, ICML 2019; Liu and Tan 2020).

Batch normalisation is folded into the convolutions, as the network is only ever used frozen. It pads its border as
TensorFlow does, so every pixel of an image is seen.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_BATCH_NORM_EPSILON = 1e-3
_STEM_CHANNELS = 32
_MEAN, _SCALE = 127.0, 128.0  # of pixels in 0 .. 255, which the Lite family was trained with
# Of each stage: blocks, kernel, stride, expansion, channels (EfficientNet-B0).
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_WIDTH_AND_DEPTH = {0: (1.0, 1.0), 1: (1.0, 1.1), 2: (1.1, 1.2)}


@dataclass(frozen=True)
class BlockShape:
    """An inverted residual block: 1 x 1 expansion, depthwise kernel x kernel, 1 x 1 projection."""

    kernel: int
    stride: int
    expansion: int
    channels_in: int
    channels_out: int


def list_blocks(variant: int) -> list[BlockShape]:
    """Return the blocks of Lite0, 1 or 2, the first and the last stage of which keep their depth."""
    width, depth = _WIDTH_AND_DEPTH[variant]
    blocks, channels_in = [], _STEM_CHANNELS
    for stage, (count, kernel, stride, expansion, channels) in enumerate(_STAGES):
        repeats = count if stage in (0, len(_STAGES) - 1) else math.ceil(count * depth)
        channels_out = _round_channels(channels * width)
        for repeat in range(repeats):
            blocks.append(BlockShape(kernel, stride if repeat == 0 else 1, expansion, channels_in, channels_out))
            channels_in = channels_out
    return blocks


def _round_channels(channels: float) -> int:
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


class PaddedConv(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding for sides that its stride divides: more at the right and below."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(channels_in, channels_out, kernel, stride, groups=groups)
        total = max(kernel - stride, 0)
        self.before, self.after = total // 2, total - total // 2
        if self.before == self.after:
            self.padding = (self.before, self.before)

    def forward(self, features: Tensor) -> Tensor:
        """Convolve (B, C, h, w)."""
        if self.before != self.after:
            features = F.pad(features, (self.before, self.after) * 2)
        return super().forward(features)


class Block(nn.Module):
    """See `BlockShape`; the input is added to the output where both have one shape."""

    def __init__(self, shape: BlockShape) -> None:
        super().__init__()
        hidden = shape.channels_in * shape.expansion
        self.is_residual = shape.stride == 1 and shape.channels_in == shape.channels_out
        self.expand = PaddedConv(shape.channels_in, hidden, 1) if shape.expansion > 1 else None
        self.depthwise = PaddedConv(hidden, hidden, shape.kernel, shape.stride, groups=hidden)
        self.project = PaddedConv(hidden, shape.channels_out, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, C', h', w') of (B, C, h, w)."""
        hidden = features if self.expand is None else F.relu6(self.expand(features))
        projected: Tensor = self.project(F.relu6(self.depthwise(hidden)))
        return features + projected if self.is_residual else projected


class EfficientNetLite(nn.Module):
    """The blocks of a variant, without the classifier. A fresh one has random weights."""

    def __init__(self, variant: int = 0) -> None:
        super().__init__()
        shapes = list_blocks(variant)
        self.stem = PaddedConv(3, _STEM_CHANNELS, 3, 2)
        self.blocks = nn.ModuleList(Block(shape) for shape in shapes)
        self.channels = [shape.channels_out for shape in shapes]

    def forward(self, image: Tensor, count: int | None = None) -> list[Tensor]:
        """Return the first `count` blocks' outputs (B, C, h, w) of an RGB image (B, 3, H, W) around [0, 1]."""
        hidden = F.relu6(self.stem((image * 255 - _MEAN) / _SCALE))
        outputs = []
        for block in self.blocks[:count]:
            hidden = block(hidden)
            outputs.append(hidden)
        return outputs

    def load_published(self, state: Mapping[str, Tensor]) -> None:
        """Take the weights of a state dict of the package efficientnet_lite_pytorch, batch normalisation folded in.

        Raises KeyError where one is missing, RuntimeError where a shape differs.
        """
        self.load_state_dict(fold_batch_norm(state, len(self.blocks)))


def fold_batch_norm(state: Mapping[str, Tensor], blocks: int) -> dict[str, Tensor]:
    """Return the weights and biases of `EfficientNetLite` from the package's convolutions and batch normalisations."""
    names = {"stem": ("_conv_stem", "_bn0")}
    for index in range(blocks):
        source, target = f"_blocks.{index}.", f"blocks.{index}."
        if f"{source}_expand_conv.weight" in state:
            names[f"{target}expand"] = (f"{source}_expand_conv", f"{source}_bn0")
        names[f"{target}depthwise"] = (f"{source}_depthwise_conv", f"{source}_bn1")
        names[f"{target}project"] = (f"{source}_project_conv", f"{source}_bn2")
    folded = {}
    for target, (convolution, norm) in names.items():
        scale = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + _BATCH_NORM_EPSILON)
        folded[f"{target}.weight"] = state[f"{convolution}.weight"] * scale.view(-1, 1, 1, 1)
        folded[f"{target}.bias"] = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
    return folded
