"""A memory bank of good parts: patches of normal images, and how far an image's are from the nearest.

PatchCore's score (Roth et al., CVPR 2022, section 3) in the space of the patches' principal components.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BANK_DIMENSIONS = 128  # principal components of the features


class MemoryBank(nn.Module):
    """`patches` vectors of normal images, each of `channels` features.

    A fresh one holds zeros; `calibration.coreset.fit_memory_banks` fills it.
    """

    projection: Tensor
    offset: Tensor
    patches: Tensor
    variance: Tensor

    def __init__(self, channels: int, patches: int) -> None:
        super().__init__()
        dimensions = min(BANK_DIMENSIONS, channels)
        self.register_buffer("projection", torch.zeros(dimensions, channels))
        self.register_buffer("offset", torch.zeros(dimensions))
        self.register_buffer("patches", torch.zeros(patches, dimensions))
        self.register_buffer("variance", torch.ones(()))  # of good patches, a mean over the components

    def forward(self, features: Tensor, excluded: Tensor | None = None) -> Tensor:
        """Return the map (B, 1, h, w) of features (B, C, h, w); see `compute_nearest_map`."""
        return compute_nearest_map(self.project(features), self.patches, excluded)

    def project(self, features: Tensor) -> Tensor:
        """Return the principal components (B, D, h, w) of features (B, C, h, w)."""
        return F.conv2d(features, self.projection[..., None, None], self.offset)


def compute_nearest_map(features: Tensor, patches: Tensor, excluded: Tensor | None = None) -> Tensor:
    """Return each vector's squared distance to the nearest of `patches` (N, C), a mean over channels: (B, 1, h, w).

    The products are a convolution of 1 x 1, which every runtime knows how to compute in eight bits.

    features: (B, C, h, w).
    excluded: (B, N), True where an image is not compared with a patch; where with none, infinity.
    """
    norms = patches.pow(2).sum(1)
    distances = F.conv2d(features, (-2 * patches)[..., None, None], norms)  # less the vector's own norm
    if excluded is not None:
        distances = distances.masked_fill(excluded[..., None, None], torch.inf)
    own = features.square().sum(dim=1, keepdim=True)
    return (distances.amin(dim=1, keepdim=True) + own).clamp(min=0) / features.shape[1]
