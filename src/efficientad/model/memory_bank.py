"""A memory bank of good parts: the teacher's patches of normal images, and how far an image's are from the nearest.

PatchCore's score (Roth et al., CVPR 2022, section 3), on the whole image at so small a size that a patch of 33 px sees
a quarter or half of its side: what the parts of a product look like together. The fine detail is the student's.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientad.model.pdn import TEACHER_CHANNELS

_BRIGHTNESS = 0.45  # of an image that the teacher is shown: the mean of ImageNet's photographs
_DARKEST = 0.02  # so that noise of a black image is not taken for a motif
BANK_DIMENSIONS = 128  # principal components; they hold 99.6 % of the variance and more (docs/decisions/0020)


class MemoryBank(nn.Module):
    """`patches` vectors of normal images at 1 / `scale` of 256 px.

    A fresh one holds zeros; `calibration.coreset.fit_memory_banks` fills it.
    """

    projection: Tensor
    offset: Tensor
    patches: Tensor

    def __init__(self, scale: int, patches: int) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("projection", torch.zeros(BANK_DIMENSIONS, TEACHER_CHANNELS))
        self.register_buffer("offset", torch.zeros(BANK_DIMENSIONS))
        self.register_buffer("patches", torch.zeros(patches, BANK_DIMENSIONS))

    def shrink(self, image: Tensor) -> Tensor:
        """Bring an RGB image (B, 3, 256, 256) in [0, 1] to 1 / scale of its size by means over areas; equalise it."""
        return equalise_exposure(F.avg_pool2d(image, self.scale))

    def forward(self, features: Tensor, excluded: Tensor | None = None) -> Tensor:
        """Return the map (B, 1, h, w) of the teacher's features (B, 384, h, w) of the small image.

        excluded: (B, patches), True where a patch is not to be compared with; see `compute_nearest_map`.
        """
        height, width = features.shape[-2:]
        projected = torch.matmul(self.projection, features.flatten(2)) + self.offset[:, None]
        return compute_nearest_map(projected.view(-1, BANK_DIMENSIONS, height, width), self.patches, excluded)


def equalise_exposure(image: Tensor) -> Tensor:
    """Multiply each RGB image (B, 3, h, w) in [0, 1] by a number of its own, so that all have nearly one brightness.

    What a lamp or a shutter changes is gone, what differs within the image stays (docs/decisions/0020). Not clamped.
    """
    return image * (_BRIGHTNESS / (image.mean(dim=(1, 2, 3), keepdim=True) + _DARKEST))


def compute_nearest_map(features: Tensor, patches: Tensor, excluded: Tensor | None = None) -> Tensor:
    """Return each vector's squared distance to the nearest of `patches` (N, C), a mean over channels: (B, 1, h, w).

    features: (B, C, h, w).
    excluded: (B, N), True where an image is not compared with a patch; where with none, infinity.
    """
    batch, channels, height, width = features.shape
    vectors = features.flatten(2)  # (B, C, h * w)
    norms = patches.pow(2).sum(1)  # not square(), which the ONNX exporter would keep as a second bank in the file
    if excluded is not None:
        norms = norms.expand(batch, -1).masked_fill(excluded, torch.inf)
    nearest = (norms[..., None] - 2 * torch.matmul(patches, vectors)).amin(dim=1, keepdim=True)
    distance = (nearest + vectors.square().sum(1, keepdim=True)).clamp(min=0) / channels
    return distance.view(batch, 1, height, width)
