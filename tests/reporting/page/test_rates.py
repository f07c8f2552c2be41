"""Bounds against sums of binomial chances, and against simulated calibrations."""

from math import comb

import numpy as np
import pytest

from efficientad.reporting.page.rates import bound_false_alarms, bound_rate_above, bound_rate_below


def chance_of_at_most(count, total, rate):
    return sum(comb(total, k) * rate**k * (1 - rate) ** (total - k) for k in range(count + 1))


@pytest.mark.parametrize(("count", "total"), [(0, 30), (1, 36), (7, 20), (19, 20)])
def test_at_the_upper_bound_so_few_have_a_chance_of_five_percent(count, total):
    assert chance_of_at_most(count, total, bound_rate_above(count, total)) == pytest.approx(0.05)


@pytest.mark.parametrize(("count", "total"), [(36, 36), (35, 36), (7, 20), (1, 20)])
def test_at_the_lower_bound_so_many_have_a_chance_of_five_percent(count, total):
    assert 1 - chance_of_at_most(count - 1, total, bound_rate_below(count, total)) == pytest.approx(0.05)


def test_all_or_nothing_leaves_the_rate_open():
    assert bound_rate_above(5, 5) == 1
    assert bound_rate_below(0, 5) == 0


@pytest.mark.parametrize(("held_out", "above"), [(24, 1), (99, 5)])
def test_one_detector_in_twenty_has_more_false_alarms_than_its_bound(held_out, above):
    """Scores are uniform, so that the share of new ones above a threshold is 1 - threshold."""
    bound = bound_false_alarms(above / (held_out + 1), held_out)
    scores = np.sort(np.random.default_rng(0).random((20_000, held_out)), axis=1)
    thresholds = scores[:, held_out - above]
    assert (1 - thresholds > bound).mean() == pytest.approx(0.05, abs=0.006)


def test_a_promise_of_another_form_has_no_bound():
    assert bound_false_alarms(0.05, 24) is None
    assert bound_false_alarms(0.0, 24) is None
