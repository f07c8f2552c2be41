import numpy as np
import pytest

from efficientad.calibration.threshold.choice import (
    choose_display_scale,
    choose_threshold,
    fit_threshold,
    measure_margin,
)
from efficientad.calibration.threshold.count import check_count, count_needed
from efficientad.calibration.threshold.scores import ScoreTable
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


def test_a_rate_of_one_in_n_needs_n_minus_one_whatever_floats_round_it_to():
    """1 / (1 / 49) is a little above 49. In whole numbers, of all rates k in n."""
    rates = [(n, k) for n in range(2, 250) for k in range(1, n)]
    assert [(n, k) for n, k in rates if count_needed(k / n) != -(-n // k) - 1] == []
    assert [(n, k) for n, k in rates if count_needed(round(1 - (n - k) / n, 15)) != -(-n // k) - 1] == []


@pytest.mark.parametrize("n", range(1, 200))
def test_the_stated_rate_can_be_asked_for_again(n):
    """An INT8 model asks for the rate that the float model states, on as many images."""
    scores = np.arange(n, dtype=np.float32)
    threshold = fit_threshold(scores, max(0.05, 1 / (n + 1)))
    assert fit_threshold(scores, threshold.false_alarm_rate) == threshold


def build_table(good, nuisance, defects):
    kinds = np.repeat(["good", "shift", "defect"], [len(good), len(nuisance), len(defects)])
    scores = np.concatenate([good, nuisance, defects]).astype(np.float32)
    return ScoreTable(np.arange(len(scores)).astype(str), kinds, scores)


GOOD, DEFECTS = np.linspace(0.01, 0.19, 19), np.array([0.1, 0.9, 0.9, 0.9, 0.9])


def test_a_margin_lies_as_many_times_above_the_good_as_below_three_quarters_of_the_defects():
    table = build_table(GOOD, [0.05, 0.225], DEFECTS)
    assert measure_margin(table) == pytest.approx((0.225, 0.9))
    threshold = choose_threshold(table, 0.05, "margin")
    assert threshold.value == pytest.approx(0.45)
    assert (threshold.policy, threshold.false_alarm_rate, threshold.normal_images) == ("margin", 0.05, 19)


def test_twice_the_tail_is_room_enough():
    for edge, policy in ((0.5, "margin"), (np.nextafter(np.float32(0.5), np.float32(0)), "rate")):
        assert choose_threshold(build_table(GOOD, [0.25], np.full(4, edge)), 0.05, "margin").policy == policy
    without_tail = build_table(np.zeros(19), [0.0], np.zeros(4))
    assert choose_threshold(without_tail, 0.05, "margin").policy == "rate"


@pytest.mark.parametrize(
    ("nuisance", "defects"), [([0.05, 0.46], DEFECTS), ([0.05], DEFECTS / 3), ([0.05], np.array([0.1, 0.2, 9, 9]))]
)
def test_without_room_the_margin_is_the_rate(nuisance, defects):
    table = build_table(GOOD, nuisance, defects)
    assert (
        choose_threshold(table, 0.05, "margin")
        == choose_threshold(table, 0.05, "rate")
        == fit_threshold(table.good, 0.05)
    )


@pytest.mark.parametrize("seed", range(40))
def test_a_margin_never_gives_more_alarms_than_the_rate(seed):
    rng = np.random.default_rng(seed)
    table = build_table(rng.gumbel(1, 0.2, 30), rng.gumbel(1, 0.3, 20), rng.gumbel(rng.uniform(1, 9), 0.5, 20))
    for rate in (0.05, 0.2, 0.5):
        rated, margin = (choose_threshold(table, rate, policy) for policy in ("rate", "margin"))
        assert margin.value >= rated.value
        assert margin.false_alarm_rate == rated.false_alarm_rate


def test_scores_without_defects_or_with_nan_have_no_margin():
    for table in (build_table(GOOD, [0.05], []), build_table(GOOD, [np.nan], DEFECTS)):
        with pytest.raises(MetricError, match="run the stage `fit` again"):
            choose_threshold(table, 0.05, "margin")


def test_parts_count_once():
    """Two images of each of 19 parts: as 19 images, but for the rank, which goes by halves."""
    scores, parts = np.arange(38, dtype=np.float32), np.arange(19).astype(str).repeat(2)
    assert fit_threshold(scores, 0.05, parts).value == 37
    threshold = fit_threshold(scores, 0.1, parts)
    assert (threshold.value, threshold.false_alarm_rate, threshold.normal_images) == (35, pytest.approx(0.1), 38)
    with pytest.raises(MetricError, match=r"at least 19 .* got 18.*images of one part count once"):
        fit_threshold(scores[:36], 0.05, parts[:36])
