"""Photographs for the distillation of the teacher and for the student's penalty."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray


class PretrainingSource(ABC):
    """A list of pictures that are not of the product; loading is safe from several threads at once."""

    @abstractmethod
    def __len__(self) -> int:
        """Return how many pictures there are."""

    @abstractmethod
    def load(self, index: int) -> NDArray[np.uint8]:
        """Return picture `index` as (H, W, 3) RGB uint8 at its native size."""

    @abstractmethod
    def name(self, index: int) -> str:
        """Return a stable, unique name of picture `index`."""

    def photograph(self, index: int) -> str:
        """Return what picture `index` was cut from; pictures of one photograph are held out together."""
        return self.name(index)
