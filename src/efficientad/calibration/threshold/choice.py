"""A threshold with a stated false-alarm rate, from the scores of held-out normal images.

The images that set it must set nothing else: not the weights, not the memory banks, not the scale of any map. Then a
new normal image and the held-out ones are exchangeable, and the bound holds (split conformal prediction, Vovk et al.
2005; docs/decisions/0025).
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from efficientad.calibration.threshold.count import check_count
from efficientad.calibration.threshold.scores import ScoreTable
from efficientad.errors import MetricError
from efficientad.model.sizes import Policy

_CLEAR_DEFECTS = 0.75  # of the synthetic ones; the rest may be too faint for anybody
_FAR = 2.0  # times the tail of good images


@dataclass(frozen=True)
class Threshold:
    """A score above `value` is called anomalous.

    `false_alarm_rate` bounds the chance that an image of a new normal part, drawn like the held-out ones, is called so;
    the bound holds on average over the draw of the held-out parts, and needs no assumption on the distribution of
    scores. `policy` says how the value was chosen; that of a margin is no smaller than that of the rate.
    """

    value: float
    false_alarm_rate: float
    normal_images: int
    policy: Policy = "rate"


class Margin(NamedTuple):
    """What a threshold with a margin lies between."""

    tail: float  # the largest score of good images, as they are and under nuisance
    edge: float  # what three quarters of the synthetic defects score at least

    @property
    def is_wide(self) -> bool:
        """Whether there is room: the edge is at twice the tail or above."""
        return self.edge >= _FAR * self.tail > 0


def choose_threshold(table: ScoreTable, false_alarm_rate: float, policy: Policy) -> Threshold:
    """Choose the threshold of a policy; `margin` is `rate` where good images and defects do not lie far apart.

    With a margin it is the geometric mean of both ends, from which the largest good score and the defects are equally
    many times away; never less than that of the rate. Raises MetricError as `fit_threshold`.
    """
    threshold = fit_threshold(table.good, false_alarm_rate, table.good_parts)
    if policy == "rate":
        return threshold
    margin = measure_margin(table)
    if not margin.is_wide:
        return threshold
    return replace(threshold, value=max(threshold.value, math.sqrt(margin.tail * margin.edge)), policy="margin")


def measure_margin(table: ScoreTable) -> Margin:
    """Return both ends of the margin; MetricError where a kind of scores is missing or not finite."""
    normals = np.concatenate([table.good, table.nuisance])
    if not len(normals) or not len(table.defects) or not np.isfinite(table.scores).all():
        raise MetricError("expected finite scores of good images and of synthetic defects; run the stage `fit` again")
    return Margin(float(normals.max()), float(np.quantile(table.defects, 1 - _CLEAR_DEFECTS)))


def fit_threshold(
    scores: NDArray[np.float32], false_alarm_rate: float, parts: NDArray[np.str_] | None = None
) -> Threshold:
    """Choose the smallest of the scores (n,) of held-out normal images that keeps the asked rate.

    The k-th smallest of n exchangeable scores is exceeded by a new one with a chance of at most 1 - k / (n + 1);
    `false_alarm_rate` of the result is this bound. Of several images of a part, named in `parts` (n,), each counts that
    much less, and n is the number of parts (hierarchical conformal prediction, Lee et al. 2023). Raises MetricError
    where n is too small for the asked rate, on no scores, and on scores that are not finite.

    >>> fit_threshold(np.arange(19, dtype=np.float32), 0.1)
    Threshold(value=17.0, false_alarm_rate=0.1, normal_images=19, policy='rate')
    """
    if len(scores) == 0 or not np.isfinite(scores).all():
        raise MetricError(f"expected finite scores of held-out normal images, got {len(scores)} scores, not all finite")
    _, part, images = np.unique(
        np.arange(len(scores)) if parts is None else parts, return_inverse=True, return_counts=True
    )
    check_count(len(images), false_alarm_rate)
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(1 / images[part[order]]) / (len(images) + 1)
    place = int(np.searchsorted(reached, 1 - false_alarm_rate - 1e-9))
    return Threshold(float(scores[order[place]]), round(1 - float(reached[place]), 15), len(scores))


def choose_display_scale(scores: NDArray[np.float32], threshold: float) -> float:
    """Return the raw score that the displayed 0 .. 1 spans, around 0.5 at the threshold.

    The median of the held-out normal images' scores (n,) is displayed as 0; where the threshold is no higher, so that
    no scale can be read off, the scores count as they are.

    >>> choose_display_scale(np.array([0.1, 0.2, 0.5], np.float32), 0.5)
    0.6
    """
    scale = round(2 * (threshold - float(np.median(scores))), 6)
    return scale if scale > 0 else 1.0
