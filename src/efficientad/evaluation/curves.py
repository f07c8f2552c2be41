"""Curves over the threshold, and how to thin them out for a plot.

Every curve runs from "nothing is anomalous" at (0, 0) to "everything is anomalous" at (1, 1). A point belongs
to the rule `score > threshold`, the same strict rule that the detector applies.
"""

from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from efficientad.errors import MetricError


@dataclass(frozen=True)
class Curve:
    """Receiver operating characteristic: one point for each distinct score and the origin; all (P,) float64.

    `vars(curve)` gives the columns by name.
    """

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    thresholds: NDArray[np.float64]


@dataclass(frozen=True)
class ProCurve:
    """Mean overlap with the defect regions against the share of defect-free pixels marked; all (P,) float64.

    Source: Bergmann et al., MVTec AD (IJCV 2021), section 5.1.2, per-region overlap. `compute_spro_curve` has the
    saturated one.
    """

    false_positive_rate: NDArray[np.float64]
    region_overlap: NDArray[np.float64]
    thresholds: NDArray[np.float64]


AnyCurve = TypeVar("AnyCurve", Curve, ProCurve)


def downsample_curve(curve: AnyCurve, points: int = 500) -> AnyCurve:
    """Keep at most `points` of the curve's own points, spread evenly over the false positive rate.

    Keeps the ends of the curve, and the first and the last point in each cell of an even grid. So a step keeps
    both its corners, and the drawn line is off by at most one cell (2 / points).

    Raises:
        MetricError: `points` is below 4, too few for both ends and one cell.

    >>> steps = Curve(np.array([0, 0, 0.5, 1]), np.array([0, 1, 1, 1.0]), np.array([4, 3, 2, 1.0]))
    >>> downsample_curve(steps, points=4).true_positive_rate
    array([0., 1., 1.])
    """
    if points < 4:
        raise MetricError(f"A thinned curve needs 4 points or more, {points} were asked for: ask for more.")
    rate = curve.false_positive_rate
    grid = np.linspace(rate[0], rate[-1], (points - 2) // 2)
    first_from = np.minimum(np.searchsorted(rate, grid, side="left"), len(rate) - 1)
    last_up_to = np.searchsorted(rate, grid, side="right") - 1
    keep = np.unique(np.concatenate([[0, len(rate) - 1], first_from, last_up_to]))
    return replace(curve, **{field.name: getattr(curve, field.name)[keep] for field in fields(curve)})
