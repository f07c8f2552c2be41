"""Filling the detector's memory banks from normal training images: seconds, no training."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from efficientad.model.backbone_banks import BackboneBanks
from efficientad.model.detector import Detector
from efficientad.model.device import choose_device
from efficientad.model.inference import iterate_batches
from efficientad.model.memory_bank import MemoryBank
from efficientad.model.sizes import BankScale

ComputeFeatures = Callable[[Tensor], Tensor]  # RGB (B, 3, H, W) in [0, 1] -> features (B, C, h, w)
Owners = NDArray[np.intp]  # of each patch of a memory bank, the image that it was taken from
_MOST_PATCHES = 300_000  # to choose from, of all images together: 150 MB
_STATISTICS_IMAGES = 64  # whose patches set mean, deviation and principal components
_STATISTICS_PATCHES = 60_000
_PROJECTED = 48  # dimensions in which the coreset is chosen; squared distances keep to about sqrt(2 / 48) = 20 %
_AT_ONCE = 16  # patches chosen in one pass over all


def fit_memory_banks(
    detector: Detector,
    images: NDArray[np.uint8],
    normals: NDArray[np.intp],
    patches: Mapping[BankScale, int],
    seed: int,
) -> list[Owners]:
    """Give the detector a memory bank of each scale in `patches`, with so many of normal training images at most.

    images: (N, H, W, 3) uint8 RGB, of which the rows `normals` are taken. seed: of every choice of patches. The
    detector has a backbone where there are banks to fill, and goes to the GPU where there is one. Returns the row that
    each patch of each bank comes from.
    """
    if not patches:
        return []
    assert detector.backbone_banks is not None
    detector.to(choose_device()).eval()
    with torch.inference_mode():
        banks, owners = _fit_banks(detector.backbone_banks, images, normals, patches, seed)
    detector.set_banks(banks, [1 / len(banks)] * len(banks))
    detector.to(choose_device()).eval()
    return owners


def _fit_banks(
    backbone: BackboneBanks,
    images: NDArray[np.uint8],
    normals: NDArray[np.intp],
    patches: Mapping[BankScale, int],
    seed: int,
) -> tuple[dict[BankScale, MemoryBank], list[Owners]]:
    scales = list(patches)
    few = normals[np.linspace(0, len(normals) - 1, min(len(normals), _STATISTICS_IMAGES)).astype(int)]
    banks = [MemoryBank(backbone.count_channels(scale), 1).to(choose_device()) for scale in scales]

    def compute(image: Tensor) -> list[Tensor]:
        return backbone.compute_features(image, scales)

    def project(image: Tensor) -> list[Tensor]:
        return [bank.project(features) for bank, features in zip(banks, compute(image), strict=True)]

    first = sample_patches(compute, images, few, _STATISTICS_PATCHES // len(few), seed)
    for bank, vectors in zip(banks, first, strict=True):
        set_projection(bank, vectors)
    owners = []
    drawn = sample_patches(project, images, normals, max(1, _MOST_PATCHES // len(normals)), seed)
    for bank, scale, vectors in zip(banks, scales, drawn, strict=True):
        places = choose_coreset(vectors, patches[scale], seed)
        bank.patches, bank.variance = vectors[places].clone(), vectors.var(dim=0).mean()
        owners.append(normals.repeat(len(vectors) // len(normals))[places.cpu().numpy()])
    return dict(zip(scales, banks, strict=True)), owners


def set_projection(bank: MemoryBank, vectors: Tensor) -> None:
    """Set what turns features (N, C) into the bank's components: each channel normalised, then the principal ones."""
    mean, std = vectors.mean(0), vectors.std(0).clamp(min=1e-6)
    normalised = (vectors - mean) / std
    _, components = torch.linalg.eigh((normalised.T @ normalised).double())  # ascending
    chosen = components[:, -len(bank.projection) :].T.float()
    bank.projection.copy_(chosen / std)
    bank.offset.copy_(-chosen @ (mean / std))


def sample_patches(
    compute_features: Callable[[Tensor], Sequence[Tensor]],
    images: NDArray[np.uint8],
    indices: NDArray[np.intp],
    per_image: int,
    seed: int,
) -> list[Tensor]:
    """Return a seeded choice of each image's feature vectors, (N, C) float32, of each feature map (B, C, h, w)."""
    generator = torch.Generator().manual_seed(seed)
    chosen: list[list[Tensor]] = []
    for image in iterate_batches(images, indices, "patches of images"):
        batch = []
        for features in compute_features(image):
            vectors = features.float().flatten(2).transpose(1, 2)  # (B, h * w, C)
            places = torch.randperm(vectors.shape[1], generator=generator)[:per_image]
            batch.append(vectors[:, places.to(vectors.device)].flatten(0, 1))
        chosen.append(batch)
    return [torch.cat(some) for some in zip(*chosen, strict=True)]


def choose_coreset(patches: Tensor, count: int, seed: int) -> Tensor:
    """Return the places (count,) of patches of (N, C) that lie far from one another, all where N is not larger.

    Greedy: each next one is the farthest from those chosen, so that rare patches of good parts are in it, which a
    random choice would miss (Roth et al. 2022, algorithm 1, with a random projection). Where there are many, 16 are
    chosen at once, each the farthest of a random sixteenth, which takes a tenth of the time.
    """
    if count >= len(patches):
        return torch.arange(len(patches))
    generator = torch.Generator().manual_seed(seed)
    projection = torch.randn(patches.shape[1], min(_PROJECTED, patches.shape[1]), generator=generator)
    groups = _AT_ONCE if count >= _AT_ONCE**2 else 1
    order = torch.randperm(len(patches), generator=generator).to(patches.device)
    points = patches[order] @ projection.to(patches.device)
    squares = points.square().sum(1)
    nearest = torch.full_like(squares, torch.inf)
    rest = len(points) % groups  # the first ones, which are in no group; they are chosen as they are
    first_of_group = rest + torch.arange(groups, device=patches.device) * (len(points) // groups)
    last = chosen = torch.cat([torch.arange(rest, device=patches.device), first_of_group])
    while len(chosen) < count:
        products = points @ points[last].T  # (N, groups)
        nearest = torch.minimum(nearest, (squares[last] - 2 * products).amin(dim=1) + squares)
        last = nearest[rest:].view(groups, -1).argmax(dim=1) + first_of_group
        chosen = torch.cat([chosen, last])
    return order[chosen[:count]]
