"""Filling the detector's memories from normal training images: seconds, no training."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from efficientad.model.autoencoder import view_whole
from efficientad.model.detector import Detector
from efficientad.model.inference import choose_device, iterate_batches
from efficientad.model.memory_bank import MEMORY_DIMENSIONS, Memory

Describe = Callable[[Tensor], Tensor]  # RGB (B, 3, H, W) in [0, 1] -> features (B, C, h, w)
_MOST_PATCHES = 200_000  # to choose from, of all images together: 300 MB
_PROJECTED = 48  # dimensions in which the bank is chosen; squared distances keep to about sqrt(2 / 48) = 20 %


def fit_memories(
    detector: Detector, images: NDArray[np.uint8], normals: NDArray[np.intp], scales: Sequence[int], patches: int
) -> None:
    """Add to the detector a memory of its normal training images for each of the scales, `patches` in each at most.

    images: (N, H, W, 3) uint8 RGB, of which the rows `normals` are remembered. The detector goes to the GPU where
    there is one.
    """
    device = choose_device()
    detector.to(device).eval()
    per_image = max(1, _MOST_PATCHES // len(normals))
    memories = []
    with torch.no_grad():
        for scale in scales:
            vectors = sample_patches(_describe_view(detector, Memory(scale, 1)), images, normals, per_image, seed=0)
            memories.append(_fit_memory(vectors, scale, patches))
    detector.memories.extend(memories)
    detector.to(device).eval()


def _describe_view(detector: Detector, memory: Memory) -> Describe:
    return lambda image: detector.describe_for(memory, view_whole(image))


def _fit_memory(vectors: Tensor, scale: int, patches: int) -> Memory:
    """Normalise (N, 384) by channel, keep the principal components, and of the patches those that differ most."""
    mean, std = vectors.mean(0), vectors.std(0).clamp(min=1e-6)
    vectors = (vectors - mean) / std
    _, components = torch.linalg.eigh((vectors.T @ vectors).double())  # ascending
    chosen = components[:, -MEMORY_DIMENSIONS:].T.float()  # (128, 384)
    places = choose_bank(vectors, patches, seed=0)
    memory = Memory(scale, len(places))
    memory.projection.copy_(chosen / std)
    memory.offset.copy_(-chosen @ (mean / std))
    memory.bank.copy_(vectors[places] @ chosen.T)
    return memory


def sample_patches(
    describe: Describe, images: NDArray[np.uint8], indices: NDArray[np.intp], per_image: int, seed: int
) -> Tensor:
    """Return a seeded choice of each image's feature vectors, (N, C) float32."""
    generator = torch.Generator().manual_seed(seed)
    chosen = []
    for image in iterate_batches(images, indices):
        vectors = describe(image).float().flatten(2).transpose(1, 2)  # (B, h * w, C)
        places = torch.randperm(vectors.shape[1], generator=generator)[:per_image]
        chosen.append(vectors[:, places.to(vectors.device)].flatten(0, 1))
    return torch.cat(chosen)


def choose_bank(patches: Tensor, count: int, seed: int) -> Tensor:
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
