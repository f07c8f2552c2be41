"""Photographs for the distillation of the teacher and for the student's penalty."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from efficientad.data.files.walk import Finding


class PretrainingSource(ABC):
    """A list of images that are not of the product; loading is safe from several threads at once."""

    @abstractmethod
    def __len__(self) -> int:
        """Return how many images there are."""

    @abstractmethod
    def load(self, index: int) -> NDArray[np.uint8]:
        """Return image `index` as (H, W, 3) RGB uint8 at its native size."""

    @abstractmethod
    def name(self, index: int) -> str:
        """Return a stable, unique name of image `index`."""

    def photograph(self, index: int) -> str:
        """Return what image `index` was cut from; images of one photograph are held out together."""
        return self.name(index)

    def list_left_out(self) -> list[Finding]:
        """Return the files beside the images that nobody reads; empty where there are no files."""
        return []
