"""What every data set offers: a list of samples, and the image and the defect mask of each."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.samples import Sample
from efficientad.data.files.limits import LIMITS, Limits
from efficientad.data.files.walk import Finding


@dataclass(frozen=True)
class AnnotatedDefect:
    """One defect of an image. mask: (H, W), with a True pixel at least.

    saturation: the share of its area, in (0, 1], that must be marked for the whole of it to count as found: where
    something is missing, the mask covers all places where it might lie (Bergmann et al., IJCV 130, 2022).
    """

    mask: NDArray[np.bool_]
    saturation: float


class DatasetProvider(ABC):
    """A product of a data set. Loading is safe from several threads at once.

    limits: of the files that it reads.
    """

    limits: Limits = LIMITS

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

    def load_defects(self, sample: Sample) -> list[AnnotatedDefect] | None:
        """Return the defects of an image one by one, in its native size; they may overlap, none in normal samples.

        None in data sets that say only which pixels are defective.
        """
        return None

    def image_path(self, sample: Sample) -> Path | None:
        """Return the file that a sample is read from, or None when it does not come from a file."""
        return None

    def mask_path(self, sample: Sample) -> Path | None:
        """Return the one file of a sample's mask, or None when there is none, or none that could be named."""
        return None

    def list_left_out(self) -> list[Finding]:
        """Return the files beside the samples that nobody reads; empty where the provider does not look for them."""
        return []
