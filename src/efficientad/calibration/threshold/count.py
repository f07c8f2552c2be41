"""How many held-out images a false-alarm rate needs."""

import math

from efficientad.errors import MetricError


def count_needed(false_alarm_rate: float) -> int:
    """Return how many held-out normal parts a rate needs at least.

    >>> count_needed(0.05)
    19
    """
    return math.ceil(round(1 / false_alarm_rate, 9)) - 1


def check_count(parts: int, false_alarm_rate: float) -> None:
    """Raise MetricError when so many held-out normal parts, each of one image or more, cannot promise the rate."""
    needed = count_needed(false_alarm_rate)
    if parts < needed:
        raise MetricError(
            f"expected at least {needed} held-out normal images for a false-alarm rate of {false_alarm_rate}, got "
            f"{parts}, which can promise {1 / (parts + 1):.4f} at best; add good images, or raise "
            "data.validation_fraction or calibrate.false_alarm_rate; images of one part count once"
        )
