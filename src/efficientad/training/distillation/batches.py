"""What each step of a distillation sees, as a function of seed and step alone."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from efficientad.data.arrays.rows import read_row
from efficientad.training.engine.features import FeatureFile
from efficientad.training.engine.order import order_samples
from efficientad.training.engine.tensors import convert_to_tensor
from efficientad.training.engine.workers import Share


class DistillationBatch(NamedTuple):
    """Images, float RGB (B, 3, 256, 256) in [0, 1], and the teacher's targets (B, 384, 56, 56)."""

    image: Tensor
    target: Tensor


class DistillationSteps(Dataset[DistillationBatch]):
    """The batches of steps `first` .. `first + count` of distilling the teacher.

    `images` (N, 256, 256, 3) uint8 and the rows of `targets` belong together, and only their rows `indices` are
    trained on; `mean` and `std` (1, 384, 1, 1) normalise the targets.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        targets: FeatureFile,
        indices: NDArray[np.intp],
        mean: Tensor,
        std: Tensor,
        batch_size: int,
        seed: int,
        first: int,
        count: int,
        share: Share | None = None,
    ) -> None:
        self.images, self.targets, self.indices = images, targets, indices
        self.mean, self.std = mean, std
        self.batch_size, self.seed, self.first, self.count = batch_size, seed, first, count
        self.own = (share or Share()).cut(batch_size)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> DistillationBatch:
        if index >= self.count:
            raise IndexError(index)
        order = order_samples(self.seed, self.first + index, self.batch_size, len(self.indices))
        rows = self.indices[order[self.own]]
        target = torch.stack([self.targets.read(row) for row in rows]).float()
        image = convert_to_tensor(np.stack([read_row(self.images, row) for row in rows]))
        return DistillationBatch(image, (target - self.mean) / self.std)
