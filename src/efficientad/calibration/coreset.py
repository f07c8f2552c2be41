"""Filling the detector's memory banks from normal training images: seconds, no training."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from efficientad.model.detector import Detector
from efficientad.model.device import choose_device
from efficientad.model.inference import iterate_batches
from efficientad.model.memory_bank import BANK_DIMENSIONS, MemoryBank

ComputeFeatures = Callable[[Tensor], Tensor]  # RGB (B, 3, H, W) in [0, 1] -> features (B, C, h, w)
Owners = NDArray[np.intp]  # of each patch of a memory bank, the image that it was taken from
_MOST_PATCHES = 200_000  # to choose from, of all images together: 300 MB
_PROJECTED = 48  # dimensions in which the coreset is chosen; squared distances keep to about sqrt(2 / 48) = 20 %


def fit_memory_banks(
    detector: Detector, images: NDArray[np.uint8], normals: NDArray[np.intp], scales: Sequence[int], patches: int
) -> list[Owners]:
    """Add to the detector a memory bank for each of the scales, with `patches` of normal training images at most.

    images: (N, H, W, 3) uint8 RGB, of which the rows `normals` are taken. The detector goes to the GPU where there is
    one. Returns the row that each patch (patches,) of each bank comes from.
    """
    device = choose_device()
    detector.to(device).eval()
    with torch.no_grad():
        fitted = [_fit_bank(detector, images, normals, scale, patches) for scale in scales]
    detector.add_banks([bank for bank, _ in fitted])
    detector.to(device).eval()
    return [owners for _, owners in fitted]


def _fit_bank(
    detector: Detector, images: NDArray[np.uint8], normals: NDArray[np.intp], scale: int, patches: int
) -> tuple[MemoryBank, Owners]:
    empty, per_image = MemoryBank(scale, 1), max(1, _MOST_PATCHES // len(normals))
    vectors = sample_patches(
        lambda image: detector.compute_bank_features(empty, image), images, normals, per_image, seed=0
    )
    bank, places = _build_bank(vectors, scale, patches)
    return bank, normals.repeat(len(vectors) // len(normals))[places.cpu().numpy()]


def _build_bank(vectors: Tensor, scale: int, patches: int) -> tuple[MemoryBank, Tensor]:
    """Return the bank of the coreset of (N, 384), and its places among them.

    Each channel is normalised; of the coreset the principal components are kept.
    """
    mean, std = vectors.mean(0), vectors.std(0).clamp(min=1e-6)
    vectors = (vectors - mean) / std
    _, components = torch.linalg.eigh((vectors.T @ vectors).double())  # ascending
    chosen = components[:, -BANK_DIMENSIONS:].T.float()  # (128, 384)
    places = choose_coreset(vectors, patches, seed=0)
    bank = MemoryBank(scale, len(places))
    bank.projection.copy_(chosen / std)
    bank.offset.copy_(-chosen @ (mean / std))
    bank.patches.copy_(vectors[places] @ chosen.T)
    return bank, places


def sample_patches(
    compute_features: ComputeFeatures, images: NDArray[np.uint8], indices: NDArray[np.intp], per_image: int, seed: int
) -> Tensor:
    """Return a seeded choice of each image's feature vectors, (N, C) float32."""
    generator = torch.Generator().manual_seed(seed)
    chosen = []
    for image in iterate_batches(images, indices):
        vectors = compute_features(image).float().flatten(2).transpose(1, 2)  # (B, h * w, C)
        places = torch.randperm(vectors.shape[1], generator=generator)[:per_image]
        chosen.append(vectors[:, places.to(vectors.device)].flatten(0, 1))
    return torch.cat(chosen)


def choose_coreset(patches: Tensor, count: int, seed: int) -> Tensor:
    """Return the places (count,) of patches of (N, C) that lie far from one another, all where N is not larger.

    Greedy: each next one is the farthest from those chosen, so that rare patches of good parts are in it, which a
    random choice would miss (Roth et al. 2022, algorithm 1, with a random projection).
    """
    if count >= len(patches):
        return torch.arange(len(patches))
    generator = torch.Generator().manual_seed(seed)
    projection = torch.randn(patches.shape[1], min(_PROJECTED, patches.shape[1]), generator=generator)
    points = patches @ projection.to(patches.device)
    squares = points.square().sum(1)
    nearest = torch.full_like(squares, torch.inf)
    chosen = torch.zeros(count, dtype=torch.long)
    for index in range(1, count):
        last = chosen[index - 1]
        nearest = torch.minimum(nearest, squares - 2 * (points @ points[last]) + squares[last])
        chosen[index] = nearest.argmax()
    return chosen
