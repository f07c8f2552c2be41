"""Thinning a curve keeps what an eye would see."""

import numpy as np
import pytest

from efficientad.errors import MetricError
from efficientad.evaluation.curves import Curve, ProCurve, downsample_curve
from efficientad.evaluation.image_level import compute_roc_curve


def draw_curve(size=20_000):
    rng = np.random.default_rng(0)
    labels = np.arange(size) % 2
    return compute_roc_curve(rng.normal(size=size) + labels, labels)


@pytest.mark.parametrize("points", [4, 5, 50, 500])
def test_ends_stay_and_the_number_is_kept(points):
    curve = draw_curve()
    thin = downsample_curve(curve, points)
    assert len(thin.false_positive_rate) <= points
    for name, column in vars(thin).items():
        assert (column[0], column[-1]) == (getattr(curve, name)[0], getattr(curve, name)[-1])


def test_points_are_the_curves_own_and_in_order():
    curve = draw_curve()
    thin = downsample_curve(curve, 100)
    assert np.isin(thin.thresholds, curve.thresholds).all()
    assert (np.diff(thin.false_positive_rate) >= 0).all()
    assert (np.diff(thin.thresholds) < 0).all()


def test_line_stays_within_one_cell():
    curve, points = draw_curve(), 200
    thin = downsample_curve(curve, points)
    at = np.linspace(0.05, 1, 333)
    full = np.interp(at, curve.false_positive_rate, curve.true_positive_rate)
    thinned = np.interp(at, thin.false_positive_rate, thin.true_positive_rate)
    assert np.abs(full - thinned).max() < 0.02


@pytest.mark.parametrize("points", [50, 201])
def test_points_are_spread_evenly_over_the_rate(points):
    """Two at most around each of the even cells' borders, so that no gap is wider than a cell."""
    thin = downsample_curve(draw_curve(), points)
    borders = (points - 2) // 2
    assert np.diff(thin.false_positive_rate).max() <= 1 / (borders - 1) + 1e-9
    assert len(thin.false_positive_rate) >= borders


def test_corners_of_a_step_stay():
    rate = np.array([0.0, 0.0, 0.6, 0.6, 1.0])
    overlap = np.array([0.0, 0.4, 0.4, 0.9, 0.9])
    thin = downsample_curve(ProCurve(rate, overlap, np.arange(5.0)[::-1]), points=20)
    assert thin.false_positive_rate.tolist() == rate.tolist()
    assert thin.region_overlap.tolist() == overlap.tolist()


def test_short_curves_stay_whole():
    line = np.linspace(0, 1, 3)
    assert downsample_curve(Curve(line, line, line)).thresholds.tolist() == line.tolist()


def test_too_few_points_are_an_error():
    with pytest.raises(MetricError, match="4 points"):
        downsample_curve(draw_curve(10), points=3)
