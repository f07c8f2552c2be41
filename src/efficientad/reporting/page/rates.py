"""What counts of a few images say of all that will come: exact bounds of rates, each with 95 % confidence."""

from scipy.stats import beta

CONFIDENCE = 0.95


def bound_rate_above(count: int, total: int) -> float:
    """Return the rate in [0, 1] that the true one does not exceed, after `count` of `total` (Clopper, Pearson 1934).

    >>> round(bound_rate_above(0, 30), 3)
    0.095
    """
    return 1.0 if count >= total else float(beta.ppf(CONFIDENCE, count + 1, total - count))


def bound_rate_below(count: int, total: int) -> float:
    """Return the rate in [0, 1] that the true one does not fall below, after `count` of `total`.

    >>> round(bound_rate_below(36, 36), 3)
    0.92
    """
    return 0.0 if count == 0 else float(beta.ppf(1 - CONFIDENCE, count, total - count + 1))


def bound_false_alarms(promised: float, held_out: int) -> float | None:
    """Return the rate that one detector's false alarms do not exceed, with a threshold from so many held-out parts.

    The threshold is the k-th smallest of n independent scores, `promised` = 1 - k / (n + 1); the share of new good
    parts above it is distributed as Beta(n + 1 - k, k). None where the promise is not of that form: several images
    show one part.

    >>> round(bound_false_alarms(0.04, 24), 3)
    0.117
    """
    above = promised * (held_out + 1)
    if abs(above - round(above)) > 1e-6 * (held_out + 1) or not 1 <= round(above) <= held_out:
        return None
    return float(beta.ppf(CONFIDENCE, round(above), held_out + 1 - round(above)))
