"""Pixel metrics against a slow reference, scikit-learn and hand-computed numbers."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from slow_reference import integrate_pro, trace_pro

from efficientad.errors import MetricError
from efficientad.evaluation.pixel_level import (
    compute_au_pro,
    compute_pixel_auroc,
    compute_pro_curve,
    integrate_pro_curve,
)
from efficientad.evaluation.pixels import rank_pixels


def draw_case(seed, decimals=1, images=3, height=11, width=9):
    """Maps, partly negative, with ties where `decimals` is small; masks with odd regions, one mask empty."""
    rng = np.random.default_rng(seed)
    masks = rng.random((images, height, width)) > 0.8
    masks[-1] = False
    maps = np.round(rng.normal(size=masks.shape) + masks, decimals).astype(np.float32)
    return maps, masks


def as_row(scores, mask):
    """One image of one row."""
    return np.array([[scores]], dtype=np.float32), np.array([[mask]], dtype=bool)


@pytest.mark.parametrize("limit", [0.01, 0.05, 0.3, 0.77, 1.0])
@pytest.mark.parametrize(("seed", "decimals"), [(0, 0), (1, 1), (2, 1), (3, 6)])
def test_au_pro_against_the_slow_reference(seed, decimals, limit):
    maps, masks = draw_case(seed, decimals)
    expected = integrate_pro(trace_pro(maps, masks), limit)
    assert compute_au_pro(maps, masks, limit) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("decimals", [0, 1, 6])
def test_pro_curve_runs_through_every_point_of_the_slow_reference(decimals):
    maps, masks = draw_case(4, decimals)
    curve = compute_pro_curve(maps, masks)
    points = list(zip(curve.false_positive_rate, curve.region_overlap, strict=True))
    for rate, overlap, _ in trace_pro(maps, masks):
        on_vertex = any(np.allclose((rate, overlap), point, atol=1e-12) for point in points)
        left = int(np.searchsorted(curve.false_positive_rate, rate, side="right")) - 1
        assert on_vertex or curve.region_overlap[left] == pytest.approx(overlap, abs=1e-12)


def test_each_threshold_of_the_pro_curve_has_the_rate_of_its_point():
    maps, masks = draw_case(5)
    curve = compute_pro_curve(maps, masks)
    for rate, threshold in zip(curve.false_positive_rate, curve.thresholds, strict=True):
        assert (maps[~masks] > threshold).mean() == pytest.approx(rate, abs=1e-12)


@pytest.mark.parametrize("sign", [1, -1])
def test_ranks_count_plainly_and_know_the_extremes_whose_pixels_they_are(sign):
    maps, masks = draw_case(11)
    maps[-1, 0, 0], maps[-1, 5, 5] = 9 * sign, -9  # of an image without a defect
    ranks = rank_pixels(maps, masks)
    normals, defects = maps[~masks], maps[masks]
    assert (ranks.highest, ranks.lowest, ranks.normal_count) == (maps.max(), maps.min(), normals.size)
    assert ranks.scores.tolist() == sorted(set(defects.tolist()), reverse=True)
    for place, score in enumerate(ranks.scores):
        assert ranks.normals_above[place] == (normals > score).sum()
        assert ranks.normals_tied[place] == (normals == score).sum()
        assert ranks.defect_counts[place] == (defects == score).sum()


def test_more_images_than_threads_are_all_counted():
    maps, masks = draw_case(12, images=37, height=5, width=4)
    assert compute_pixel_auroc(maps, masks) == pytest.approx(roc_auc_score(masks.ravel(), maps.ravel()), abs=1e-12)


def test_every_region_weighs_the_same_whatever_its_size():
    # Regions of 1 and 3 pixels; only the small one is marked before the first false positive.
    maps, masks = as_row([9, 5, 0, 0, 0, 4], [1, 0, 1, 1, 1, 0])
    curve = compute_pro_curve(maps, masks)
    assert curve.false_positive_rate.tolist() == [0.0, 0.0, 1.0, 1.0]
    assert curve.region_overlap.tolist() == [0.0, 0.5, 0.5, 1.0]
    assert compute_au_pro(maps, masks, 0.3) == 0.5


def test_tied_scores_enter_at_once():
    # 3 normal and the defect pixel share a score: one straight line from (0, 0) to (0.75, 1).
    maps, masks = as_row([2, 2, 2, 2, 1], [1, 0, 0, 0, 0])
    curve = compute_pro_curve(maps, masks)
    assert curve.false_positive_rate.tolist() == [0.0, 0.75, 1.0]
    assert curve.region_overlap.tolist() == [0.0, 1.0, 1.0]
    # Up to 0.3 a triangle of height 0.4; up to 1 the triangle of 0.75 and a rectangle.
    assert compute_au_pro(maps, masks, 0.3) == pytest.approx(0.2)
    assert compute_au_pro(maps, masks, 1.0) == pytest.approx(0.75 / 2 + 0.25)


def test_limit_between_two_points_on_a_horizontal():
    # Overlap 0.5 up to rate 0.5, 1 after it: 0.5 * 0.5 + 0.25 * 1 = 0.5 up to 0.75.
    maps, masks = as_row([9, 5, 4, 0], [1, 0, 1, 0])
    assert compute_au_pro(maps, masks, 0.75) == pytest.approx(0.5 / 0.75)


def test_diagonal_neighbours_are_one_region():
    masks = np.array([[[1, 0, 0], [0, 1, 0], [0, 0, 0]]], dtype=bool)
    maps = np.array([[[9, 0, 0], [0, 1, 0], [5, 0, 0]]], dtype=np.float32)
    assert compute_pro_curve(maps, masks).region_overlap.tolist() == [0.0, 0.5, 0.5, 1.0, 1.0]


def test_perfect_and_reversed_maps():
    _, masks = draw_case(6)
    assert compute_au_pro(masks.astype(np.float32), masks) == 1.0
    assert compute_pixel_auroc(masks.astype(np.float32), masks) == 1.0
    assert compute_au_pro(-masks.astype(np.float32), masks) == 0.0
    assert compute_pixel_auroc(-masks.astype(np.float32), masks) == 0.0


def test_constant_map_is_chance():
    _, masks = draw_case(6)
    constant = np.full(masks.shape, -3.5, dtype=np.float32)
    assert compute_au_pro(constant, masks, 0.3) == pytest.approx(0.15)
    assert compute_pixel_auroc(constant, masks) == 0.5


def test_random_map_is_near_chance():
    rng = np.random.default_rng(0)
    maps, masks = rng.random((20, 64, 64), dtype=np.float32), rng.random((20, 64, 64)) > 0.95
    assert compute_au_pro(maps, masks, 0.3) == pytest.approx(0.15, abs=0.01)
    assert compute_pixel_auroc(maps, masks) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(("seed", "decimals"), [(0, 0), (1, 1), (2, 6)])
def test_pixel_auroc_against_sklearn(seed, decimals):
    maps, masks = draw_case(seed, decimals)
    expected = roc_auc_score(masks.ravel(), maps.ravel())
    assert compute_pixel_auroc(maps, masks) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("transform", [np.exp, lambda m: 1000 * m - 77, np.arctan])
def test_monotone_transform_changes_nothing(transform):
    maps, masks = draw_case(8)
    moved = transform(maps.astype(np.float64))
    assert compute_au_pro(moved, masks) == compute_au_pro(maps, masks)
    assert compute_pixel_auroc(moved, masks) == compute_pixel_auroc(maps, masks)


def test_sequences_and_memory_maps_give_the_same(tmp_path):
    maps, masks = draw_case(9)
    np.save(tmp_path / "maps.npy", maps)
    on_disk = np.load(tmp_path / "maps.npy", mmap_mode="r")
    expected = compute_au_pro(maps, masks)
    assert compute_au_pro(list(maps), list(masks)) == expected
    assert compute_au_pro(on_disk, masks) == expected
    assert integrate_pro_curve(compute_pro_curve(on_disk, masks)) == expected


def test_inputs_stay_untouched():
    maps, masks = draw_case(10)
    before = maps.copy()
    compute_au_pro(maps, masks)
    assert np.array_equal(maps, before)


GOOD_MAP, GOOD_MASK = np.zeros((1, 2, 2), np.float32), np.array([[[True, False], [False, False]]])


@pytest.mark.parametrize(
    ("maps", "masks", "message"),
    [
        (GOOD_MAP, np.zeros((1, 2, 2), bool), "got 0 and 4"),
        (GOOD_MAP, np.ones((1, 2, 2), bool), "got 4 and 0"),
        (np.zeros((1, 2, 3), np.float32), GOOD_MASK, r"\(2, 3\) and \(2, 2\)"),
        (np.zeros((2, 2, 2), np.float32), GOOD_MASK, "2 maps and 1 masks"),
        (np.zeros((0, 2, 2), np.float32), np.zeros((0, 2, 2), bool), "0 maps"),
        (np.full((1, 2, 2), np.nan, np.float32), GOOD_MASK, "NaN or inf at index 0"),
        (np.full((1, 2, 2), np.inf, np.float32), GOOD_MASK, "NaN or inf at index 0"),
        (GOOD_MAP, GOOD_MASK.astype(np.uint8), "uint8"),
        (GOOD_MAP.astype(np.uint8), GOOD_MASK, "uint8"),
    ],
)
@pytest.mark.parametrize("compute", [compute_pixel_auroc, compute_pro_curve, compute_au_pro])
def test_undefined_metrics_are_errors(compute, maps, masks, message):
    with pytest.raises(MetricError, match=message):
        compute(maps, masks)


@pytest.mark.parametrize("limit", [0.0, -0.1, 1.1, float("nan")])
def test_limits_outside_the_unit_interval_are_errors(limit):
    with pytest.raises(MetricError, match="limit"):
        compute_au_pro(GOOD_MAP, GOOD_MASK, limit)
