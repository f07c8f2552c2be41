"""How far an INT8 model's scores and verdicts are from those of the float model, on a trial."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_UNIT_WITHOUT_THRESHOLD = 0.1  # where it is 0 or below: the high quantile of good parts' maps


class Drift(NamedTuple):
    """Of an INT8 model against the float one, each judging by a threshold of its own.

    verdict_flips: share of the images whose verdict differs. score_drift: the largest difference of a score, each in
    units of its model's threshold, or of 0.1 where that is not above 0; a score of two thresholds and one of ten are
    alike, and so are those below 0.
    """

    verdict_flips: float
    score_drift: float


def measure_drift(
    reference: NDArray[np.float32], threshold: float, scores: NDArray[np.float32], own_threshold: float
) -> Drift:
    """Return how far `scores` (N,) are from `reference` (N,); scores that are not finite drift without end.

    >>> measure_drift(np.float32([0.25, 0.5, 8]), 0.5, np.float32([0.125, 0.5, 4]), 0.25)
    Drift(verdict_flips=0.3333333333333333, score_drift=1.0)
    """
    if not np.isfinite(scores).all():
        return Drift(1.0, float("inf"))
    flips = (scores > own_threshold) != (reference > threshold)
    apart = np.abs(_place_scores(scores, own_threshold) - _place_scores(reference, threshold))
    return Drift(float(flips.mean()), float(apart.max()))


def _place_scores(scores: NDArray[np.float32], threshold: float) -> NDArray[np.float64]:
    """Return -1 .. 1: a unit or more below the threshold, 0 at it, a unit or more above."""
    unit = threshold if threshold > 0 else _UNIT_WITHOUT_THRESHOLD
    return np.clip((scores.astype(np.float64) - threshold) / unit, -1, 1)
