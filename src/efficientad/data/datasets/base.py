"""What every data set offers: a list of samples, and the image and the defect mask of each."""

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.samples import Sample


class DatasetProvider(ABC):
    """A product of a data set. Loading is safe from several threads at once."""

    @abstractmethod
    def list_samples(self) -> list[Sample]:
        """Return all samples; the same list, in the same order, on every call and machine."""

    @abstractmethod
    def load_image(self, sample: Sample) -> NDArray[np.uint8]:
        """Return (H, W, 3) RGB uint8 at the image's native size; DataError when it is unreadable."""

    @abstractmethod
    def load_mask(self, sample: Sample) -> NDArray[np.bool_] | None:
        """Return the (H, W) bool defect mask in the image's native size, or None when none is known.

        Normal samples have an all-False mask, or None in data sets without any masks.
        """

    def image_path(self, sample: Sample) -> Path | None:
        """Return the file that a sample is read from, or None when it does not come from a file."""
        return None
