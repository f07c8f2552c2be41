"""A threshold with a stated false-alarm rate, from the scores of held-out normal images."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from efficientad.errors import MetricError


@dataclass(frozen=True)
class Threshold:
    """A score above `value` is called anomalous.

    `false_alarm_rate` bounds the chance that a new normal image, drawn like the held-out ones, is called
    so; the bound holds on average over the draw of the held-out images (split conformal prediction, Vovk et
    al. 2005), and needs no assumption on the scores' distribution.
    """

    value: float
    false_alarm_rate: float
    normal_images: int


def fit_threshold(scores: NDArray[np.float32], false_alarm_rate: float) -> Threshold:
    """Choose the smallest of the scores (n,) of held-out normal images that keeps the asked rate.

    The k-th smallest of n exchangeable scores is exceeded by a new one with a chance of at most
    1 - k / (n + 1); `false_alarm_rate` of the result is this bound. Raises MetricError where n is too small for
    the asked rate, on no scores, and on scores that are not finite.

    >>> fit_threshold(np.arange(19, dtype=np.float32), 0.1)
    Threshold(value=17.0, false_alarm_rate=0.1, normal_images=19)
    """
    n = len(scores)
    if n == 0 or not np.isfinite(scores).all():
        raise MetricError(f"expected finite scores of held-out normal images, got {n} scores, not all finite")
    check_count(n, false_alarm_rate)
    k = math.ceil(round((n + 1) * (1 - false_alarm_rate), 9))
    return Threshold(float(np.sort(scores)[k - 1]), (n + 1 - k) / (n + 1), n)


def count_needed(false_alarm_rate: float) -> int:
    """Return how many held-out normal images a rate needs at least.

    >>> count_needed(0.05)
    19
    """
    return math.ceil(round(1 / false_alarm_rate, 9)) - 1


def check_count(images: int, false_alarm_rate: float) -> None:
    """Raise MetricError when so many held-out normal images cannot promise the rate."""
    needed = count_needed(false_alarm_rate)
    if images < needed:
        raise MetricError(
            f"expected at least {needed} held-out normal images for a false-alarm rate of {false_alarm_rate}, got "
            f"{images}, which can promise {1 / (images + 1):.4f} at best; add good images, or raise "
            "data.validation_fraction or calibrate.false_alarm_rate"
        )


def choose_display_scale(scores: NDArray[np.float32], threshold: float) -> float:
    """Return the raw score that the displayed 0 .. 1 spans, around 0.5 at the threshold.

    The median of the held-out normal images' scores (n,) is displayed as 0; where it is the threshold itself, so that
    no scale can be read off, the scores count as they are.

    >>> choose_display_scale(np.array([0.1, 0.2, 0.5], np.float32), 0.5)
    0.6
    """
    return round(2 * (threshold - float(np.median(scores))), 6) or 1.0
