import numpy as np
import pytest

from efficientad.calibration.threshold import check_count, choose_display_scale, count_needed, fit_threshold
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


def test_too_few_images_are_refused_with_what_they_could_promise():
    with pytest.raises(MetricError, match=r"at least 19 held-out .* got 3, which can promise 0\.2500 at best"):
        fit_threshold(np.array([3.0, 1.0, 2.0], dtype=np.float32), 0.05)


def test_the_display_scale_puts_the_median_normal_image_at_0_and_the_threshold_in_the_middle():
    scores = np.array([0.1, 0.3, 0.2, 0.9, 0.25], dtype=np.float32)
    assert choose_display_scale(scores, 0.9) == pytest.approx(2 * (0.9 - 0.25))
    assert choose_display_scale(np.ones(3, dtype=np.float32), 1.0) == 1.0


def test_no_scores_and_nan_are_refused():
    for scores in ([], [1.0, float("nan")]):
        with pytest.raises(MetricError, match="expected finite scores"):
            fit_threshold(np.array(scores, dtype=np.float32), 0.05)


@pytest.mark.parametrize(("rate", "count"), [(0.05, 19), (0.01, 99), (0.1, 9), (0.5, 1)])
def test_count_needed_is_the_least_that_keeps_the_rate(rate, count):
    assert count_needed(rate) == count
    assert fit_threshold(np.arange(count, dtype=np.float32), rate).false_alarm_rate <= rate
    if count > 1:
        with pytest.raises(MetricError, match=f"expected at least {count} "):
            check_count(count - 1, rate)


@pytest.mark.parametrize("n", range(1, 200))
def test_the_stated_rate_can_be_asked_for_again(n):
    """An INT8 model asks for the rate that the float model states, on as many images."""
    scores = np.arange(n, dtype=np.float32)
    threshold = fit_threshold(scores, max(0.05, 1 / (n + 1)))
    assert fit_threshold(scores, threshold.false_alarm_rate) == threshold
