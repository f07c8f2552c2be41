"""What each training step sees, as a function of seed and step alone.

No generator is carried from step to step: an interrupted training needs no state of any sampler to go on
with the same batches, and two runs with one seed see the same images whatever ran before.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from efficientad.training.augment import JITTERS, convert_to_grey, jitter_colour

_JITTER_RANGE = (0.8, 1.2)


class DetectionBatch(NamedTuple):
    """One step's images, float RGB (B, 3, H, W) in [0, 1]."""

    image: Tensor
    jittered: Tensor
    penalty: Tensor


class DistillationBatch(NamedTuple):
    """Images, float RGB (B, 3, 256, 256) in [0, 1], and the teacher's targets (B, 384, 56, 56)."""

    image: Tensor
    target: Tensor


def order_samples(seed: int, step: int, batch_size: int, count: int) -> list[int]:
    """Return the samples of one step: seeded permutations of `count` samples, one after the other."""
    first = step * batch_size
    epochs = sorted({position // count for position in range(first, first + batch_size)})
    order = {epoch: np.random.default_rng([seed, epoch]).permutation(count) for epoch in epochs}
    return [int(order[p // count][p % count]) for p in range(first, first + batch_size)]


def convert_to_tensor(images: NDArray[np.uint8]) -> Tensor:
    """Turn uint8 RGB (B, H, W, 3) into float RGB (B, 3, H, W) in [0, 1], channels last in memory."""
    return torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 255


class DetectionSteps(Dataset[DetectionBatch]):
    """The batches of steps `first` .. `first + count` of training the detector.

    `images` (N, H, W, 3), of which the rows `indices` are the normal training images, and `penalties`
    (P, 512, 512, 3), the pretraining images, are uint8 and possibly memory-mapped.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        indices: NDArray[np.intp],
        penalties: NDArray[np.uint8],
        batch_size: int,
        grey_probability: float,
        seed: int,
        first: int,
        count: int,
    ) -> None:
        self.images, self.indices, self.penalties = images, indices, penalties
        self.batch_size, self.grey_probability, self.seed = batch_size, grey_probability, seed
        self.first, self.count = first, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> DetectionBatch:
        if index >= self.count:
            raise IndexError(index)
        step = self.first + index
        rng = np.random.default_rng([self.seed, step, 1])
        chosen = self.indices[order_samples(self.seed, step, self.batch_size, len(self.indices))]
        image = convert_to_tensor(np.stack([self.images[one] for one in chosen]))
        kinds = rng.integers(len(JITTERS), size=self.batch_size)
        factors = rng.uniform(*_JITTER_RANGE, size=self.batch_size)
        jittered = torch.cat(
            [
                jitter_colour(one[None], JITTERS[kind], float(factor))
                for one, kind, factor in zip(image, kinds, factors, strict=True)
            ]
        )
        return DetectionBatch(image, jittered, self._draw_penalty(rng))

    def _draw_penalty(self, rng: np.random.Generator) -> Tensor:
        chosen = rng.integers(len(self.penalties), size=self.batch_size)
        return crop_penalties(self.penalties, chosen, rng.random(self.batch_size) < self.grey_probability)


def crop_penalties(penalties: NDArray[np.uint8], chosen: NDArray[np.intp], grey: NDArray[np.bool_]) -> Tensor:
    """Return the middle 256 px of the chosen 512 px pretraining images, (B, 3, 256, 256), in grey where asked."""
    side = penalties.shape[1]
    crop = slice(side // 4, side // 4 + side // 2)
    penalty = convert_to_tensor(np.stack([penalties[index][crop, crop] for index in chosen]))
    return torch.where(torch.from_numpy(grey).view(-1, 1, 1, 1), convert_to_grey(penalty), penalty)


class DistillationSteps(Dataset[DistillationBatch]):
    """The batches of steps `first` .. `first + count` of distilling the teacher.

    `images` (N, 256, 256, 3) uint8 and `targets` (N, 384, 56, 56) float16 belong together, and only their
    rows `indices` are trained on; `mean` and `std` (1, 384, 1, 1) normalise the targets.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        targets: NDArray[np.float16],
        indices: NDArray[np.intp],
        mean: Tensor,
        std: Tensor,
        batch_size: int,
        seed: int,
        first: int,
        count: int,
    ) -> None:
        self.images, self.targets, self.indices = images, targets, indices
        self.mean, self.std = mean, std
        self.batch_size, self.seed, self.first, self.count = batch_size, seed, first, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> DistillationBatch:
        if index >= self.count:
            raise IndexError(index)
        chosen = self.indices[order_samples(self.seed, self.first + index, self.batch_size, len(self.indices))]
        target = torch.from_numpy(np.stack([self.targets[one] for one in chosen])).float()
        image = convert_to_tensor(np.stack([self.images[one] for one in chosen]))
        return DistillationBatch(image, (target - self.mean) / self.std)
