"""A memory of good parts: the teacher's patches of normal images, and how far an image's are from the nearest of them.

PatchCore's score (Roth et al., CVPR 2022, section 3), on a view of the whole image that is so small that a patch of
33 px sees a quarter or half of its side: what the parts of a product look like together. The fine detail is the
student's.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientad.model.pdn import TEACHER_CHANNELS

_BRIGHTNESS = 0.45  # of an image that the teacher is shown: the mean of ImageNet's photographs
_DARKEST = 0.02  # so that noise of a black image is not taken for a picture
MEMORY_DIMENSIONS = 128  # principal components; they hold 99.6 % of the variance and more (docs/decisions/0020)


class Memory(nn.Module):
    """`patches` vectors of the view at 1 / `scale` of its size, and the quantiles that normalise their map.

    A fresh one is empty of meaning; `memories.fit_memories` fills it, the stage `calibrate` sets the quantiles.
    """

    projection: Tensor
    offset: Tensor
    bank: Tensor
    quantiles: Tensor

    def __init__(self, scale: int, patches: int) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("projection", torch.zeros(MEMORY_DIMENSIONS, TEACHER_CHANNELS))
        self.register_buffer("offset", torch.zeros(MEMORY_DIMENSIONS))
        self.register_buffer("bank", torch.zeros(patches, MEMORY_DIMENSIONS))
        self.register_buffer("quantiles", torch.tensor([0.0, 1.0]))  # low, high

    def shrink(self, view: Tensor) -> Tensor:
        """Bring an RGB view (B, 3, 256, 256) in [0, 1], to 1 / scale of its size by means over areas; equalise it."""
        return equalise_exposure(F.avg_pool2d(view, self.scale))

    def forward(self, features: Tensor) -> Tensor:
        """Return the map (B, 1, h, w) of the teacher's features (B, 384, h, w) of the small view."""
        height, width = features.shape[-2:]
        projected = torch.matmul(self.projection, features.flatten(2)) + self.offset[:, None]
        return compute_nearest_map(projected.view(-1, MEMORY_DIMENSIONS, height, width), self.bank)


def equalise_exposure(image: Tensor) -> Tensor:
    """Multiply each RGB image (B, 3, h, w) in [0, 1] by a number of its own, so that all have nearly one brightness.

    What a lamp or a shutter changes is gone, what differs within the image stays (docs/decisions/0020). Not clamped.
    """
    return image * (_BRIGHTNESS / (image.mean(dim=(1, 2, 3), keepdim=True) + _DARKEST))


def compute_nearest_map(features: Tensor, bank: Tensor) -> Tensor:
    """Return each patch's squared distance to the nearest of `bank` (N, C), a mean over channels: (B, 1, h, w)."""
    batch, channels, height, width = features.shape
    vectors = features.flatten(2)  # (B, C, h * w)
    norms = bank.pow(2).sum(1)  # not square(), which the ONNX exporter would keep as a second bank in the file
    nearest = (norms[:, None] - 2 * torch.matmul(bank, vectors)).amin(dim=1, keepdim=True)
    distance = (nearest + vectors.square().sum(1, keepdim=True)).clamp(min=0) / channels
    return distance.view(batch, 1, height, width)
