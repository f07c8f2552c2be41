"""How far an INT8 model's scores and verdicts are from those of the float model, on a trial."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Drift(NamedTuple):
    """Of an INT8 model against the float one, each judging by a threshold of its own.

    verdict_flips: share of the images whose verdict differs. score_drift: the largest difference of a score, on the
    scale of the normalised map (0.1 = high quantile of good parts), divided by the largest score where that is above 1.
    """

    verdict_flips: float
    score_drift: float


def measure_drift(
    reference: NDArray[np.float32], threshold: float, scores: NDArray[np.float32], own_threshold: float
) -> Drift:
    """Return how far `scores` (N,) are from `reference` (N,); scores that are not finite drift without end.

    >>> measure_drift(np.float32([0.25, 0.5, 2]), 0.4, np.float32([0.25, 0.25, 2.5]), 0.3)
    Drift(verdict_flips=0.3333333333333333, score_drift=0.25)
    """
    if not np.isfinite(scores).all():
        return Drift(1.0, float("inf"))
    largest = max(1.0, float(np.abs(reference).max()))
    flips = (scores > own_threshold) != (reference > threshold)
    return Drift(float(flips.mean()), float(np.abs(scores - reference).max()) / largest)
