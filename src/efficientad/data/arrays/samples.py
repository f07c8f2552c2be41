"""The images of a data set by name, split and defect class, and a seeded choice among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Split = Literal["train", "validation", "test"]
GOOD = "good"


@dataclass(frozen=True)
class Sample:
    """One image of a product, not loaded yet.

    name:   unique within the product, stable, posix style, such as `test/crack/003.png`.
    split:  where the data set itself puts it; None where it leaves that open (see `splits.split_samples`).
    defect: "good" or the defect class.
    """

    name: str
    split: Split | None
    defect: str

    @property
    def label(self) -> int:
        """0 normal, 1 anomalous."""
        return int(self.defect != GOOD)


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
