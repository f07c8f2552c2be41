"""What every data set offers: a list of samples, and the picture and the defect mask of each."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "validation", "test"]
GOOD = "good"


@dataclass(frozen=True)
class Sample:
    """One picture of a product, not loaded yet.

    name:   unique within the product, stable, posix style, such as `test/crack/003.png`.
    split:  where the data set itself puts it; "validation" only where the data set has such a part.
    defect: "good" or the defect class.
    """

    name: str
    split: Split
    defect: str

    @property
    def label(self) -> int:
        """0 normal, 1 anomalous."""
        return int(self.defect != GOOD)


class DatasetProvider(ABC):
    """A product of a data set. Loading is safe from several threads at once."""

    @abstractmethod
    def list_samples(self) -> list[Sample]:
        """Return all samples; the same list, in the same order, on every call and machine."""

    @abstractmethod
    def load_image(self, sample: Sample) -> NDArray[np.uint8]:
        """Return (H, W, 3) RGB uint8 at the picture's native size; DataError when it is unreadable."""

    @abstractmethod
    def load_mask(self, sample: Sample) -> NDArray[np.bool_] | None:
        """Return the (H, W) bool defect mask in the picture's native size, or None when none is known.

        Normal samples have an all-False mask, or None in data sets without any masks.
        """

    def image_path(self, sample: Sample) -> Path | None:
        """Return the file that a sample is read from, or None when it does not come from a file."""
        return None


def hold_out(names: Sequence[str], fraction: float, seed: int) -> frozenset[str]:
    """Choose a seeded fraction of the names; their order does not matter, only the set of them.

    `fraction` in [0, 1]; the count is rounded half to even, but at least 1 when fraction > 0 and there are
    2 names or more.

    >>> sorted(hold_out(["c", "a", "b", "d"], 0.5, seed=0)) == sorted(hold_out(["a", "b", "c", "d"], 0.5, 0))
    True
    """
    ordered = sorted(set(names))
    count = round(fraction * len(ordered))
    if fraction > 0 and len(ordered) >= 2:
        count = max(count, 1)
    chosen = np.random.default_rng(seed).permutation(len(ordered))[:count]
    return frozenset(ordered[index] for index in chosen)
