"""WideResNet-101-2 up to its third layer (Zagoruyko and Komodakis 2016; He et al. 2016).

Parameter names follow torchvision's state dicts, so that its published checkpoints load; torchvision
itself is not needed. The last layer and the classifier are left out: the teacher's target needs strides
8 and 16 only.
"""

import hashlib
import re
from pathlib import Path
from pickle import UnpicklingError

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientad.errors import ModelError

_EXPANSION = 4
_BLOCKS = (3, 4, 23)
_NOT_NEEDED = ("layer4.", "fc.")
_STATED = re.compile(r"-([0-9a-f]{8})\.pth$")


class Bottleneck(nn.Module):
    """1x1 - 3x3 - 1x1 convolutions with a shortcut; twice as wide inside as ResNet's."""

    def __init__(self, n_in: int, planes: int, stride: int) -> None:
        super().__init__()
        width, n_out = 2 * planes, _EXPANSION * planes
        self.conv1 = nn.Conv2d(n_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, n_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(n_out)
        self.downsample: nn.Module | None = None
        if stride != 1 or n_in != n_out:
            self.downsample = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride=stride, bias=False), nn.BatchNorm2d(n_out))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, n_in, h, w) to (B, 4 * planes, h / stride, w / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        hidden = F.relu(self.bn1(self.conv1(x)), inplace=True)
        hidden = F.relu(self.bn2(self.conv2(hidden)), inplace=True)
        return F.relu(self.bn3(self.conv3(hidden)) + shortcut, inplace=True)


def _build_layer(n_in: int, planes: int, blocks: int, stride: int) -> nn.Sequential:
    rest = [Bottleneck(_EXPANSION * planes, planes, 1) for _ in range(blocks - 1)]
    return nn.Sequential(Bottleneck(n_in, planes, stride), *rest)


class WideResNet101(nn.Module):
    """Normalised image (B, 3, H, W) -> layer 2 (B, 512, H/8, W/8) and layer 3 (B, 1024, H/16, W/16)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _build_layer(64, 64, _BLOCKS[0], stride=1)
        self.layer2 = _build_layer(256, 128, _BLOCKS[1], stride=2)
        self.layer3 = _build_layer(512, 256, _BLOCKS[2], stride=2)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs of layers 2 and 3."""
        hidden = F.max_pool2d(F.relu(self.bn1(self.conv1(image)), inplace=True), 3, stride=2, padding=1)
        layer2 = self.layer2(self.layer1(hidden))
        return layer2, self.layer3(layer2)

    def load_checkpoint(self, path: Path) -> None:
        """Load a torchvision state dict; raises ModelError when the file is missing, damaged or does not fit.

        torchvision's files have the first digits of their sha256 in their names; one that has must keep what it says.
        """
        if not path.is_file():
            raise ModelError(f"expected a torchvision checkpoint of wide_resnet101_2 at {path}, found no file")
        if stated := _STATED.search(path.name):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if not digest.startswith(stated[1]):
                raise ModelError(
                    f"expected a sha256 that begins with {stated[1]} of {path}, got {digest}; fetch it again"
                )
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            self.load_state_dict({name: value for name, value in state.items() if not name.startswith(_NOT_NEEDED)})
        except (RuntimeError, EOFError, UnpicklingError, AttributeError) as error:  # the last: no dictionary
            raise ModelError(f"expected wide_resnet101_2 weights in {path}: {error}") from error
