"""Flips of verdicts and drift of scores, by hand."""

import numpy as np
import pytest

from efficientad.deploy.export.int8.drift import measure_drift

FLOAT = np.array([0.05, 0.08, 0.12, 0.3], np.float32)


def measure(scores, reference=FLOAT):
    return measure_drift(reference, 0.1, np.array(scores, np.float32), 0.2)


def test_each_model_judges_by_its_own_threshold():
    assert measure([0.15, 0.18, 0.22, 0.4]).verdict_flips == 0
    assert measure([0.21, 0.18, 0.19, 0.4]).verdict_flips == 0.5  # a false alarm and a miss do not cancel out


def test_a_score_at_the_threshold_is_normal():
    assert measure_drift(np.float32([0.5]), 0.5, np.float32([0.5]), 0.5).verdict_flips == 0
    assert measure_drift(np.float32([0.5]), 0.5, np.float32([0.5]), 0.25).verdict_flips == 1


def test_the_largest_difference_counts_whatever_its_sign_in_thresholds():
    """FLOAT is 0.5, 0.8, 1.2 and 3 thresholds, which counts as 2."""
    assert measure([0.1, 0.16, 0.24, 0.6]).score_drift == pytest.approx(0)
    assert measure([0.1, 0.06, 0.24, 0.6]).score_drift == pytest.approx(0.5)
    assert measure([0.1, 0.26, 0.24, 0.6]).score_drift == pytest.approx(0.5)


def test_how_far_beyond_two_thresholds_a_score_lies_is_no_drift():
    assert measure([0.1, 0.16, 0.24, 9]).score_drift == pytest.approx(0)
    assert measure([0.1, 0.16, 0.24, 0.3]).score_drift == pytest.approx(0.5)
    assert measure([-7, 0.16, 0.24, 0.6]).score_drift == pytest.approx(0.5)


def test_without_a_threshold_above_0_the_level_of_good_parts_is_the_unit():
    drift = measure_drift(np.float32([-0.05, 0.05]), 0, np.float32([-0.08, 0.05]), 0)
    assert drift == (0, pytest.approx(0.3))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_scores_that_are_not_finite_are_never_close(value):
    assert measure([0.05, 0.08, 0.12, value]) == (1, float("inf"))
