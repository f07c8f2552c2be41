import numpy as np
import pytest

from efficientad.calibration import count_needed, fit_threshold
from efficientad.errors import MetricError


def test_the_bound_holds_on_new_normal_images():
    """Over many draws, the share of new scores above the threshold is at most the asked rate."""
    rng = np.random.default_rng(0)
    alarms = []
    for _ in range(4000):
        scores = rng.gumbel(size=31).astype(np.float32)
        threshold = fit_threshold(scores[:-1], 0.1)
        alarms.append(scores[-1] > threshold.value)
    assert 0.07 < np.mean(alarms) < 0.11


@pytest.mark.parametrize(
    ("n", "rate", "rank", "bound"),
    [(19, 0.05, 19, 0.05), (20, 0.05, 20, 1 / 21), (39, 0.05, 38, 0.05), (99, 0.01, 99, 0.01)],
)
def test_threshold_is_the_order_statistic_of_split_conformal(n, rate, rank, bound):
    threshold = fit_threshold(np.random.default_rng(n).permutation(n).astype(np.float32), rate)
    assert threshold.value == rank - 1
    assert threshold.false_alarm_rate == pytest.approx(bound, abs=1e-6)


def test_too_few_images_give_the_largest_score_and_say_what_it_promises():
    threshold = fit_threshold(np.array([3.0, 1.0, 2.0], dtype=np.float32), 0.05)
    assert (threshold.value, threshold.false_alarm_rate) == (3.0, 0.25)


def test_no_scores_and_nan_are_refused():
    for scores in ([], [1.0, float("nan")]):
        with pytest.raises(MetricError, match="expected finite scores"):
            fit_threshold(np.array(scores, dtype=np.float32), 0.05)


@pytest.mark.parametrize(("rate", "count"), [(0.05, 19), (0.01, 99), (0.1, 9), (0.5, 1)])
def test_count_needed_is_the_least_that_keeps_the_rate(rate, count):
    assert count_needed(rate) == count
    assert fit_threshold(np.arange(count, dtype=np.float32), rate).false_alarm_rate <= rate
    if count > 1:
        assert fit_threshold(np.arange(count - 1, dtype=np.float32), rate).false_alarm_rate > rate
