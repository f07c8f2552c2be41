"""Saturated per-region overlap against a slow reference by the paper's formula, and numbers by hand."""

import numpy as np
import pytest
from slow_reference import integrate_pro, trace_spro

from efficientad.data.arrays.annotations import Annotations
from efficientad.data.arrays.rows import Rows
from efficientad.errors import MetricError
from efficientad.evaluation.pixel_level import compute_pro_curve, compute_spro_curve, integrate_pro_curve
from efficientad.evaluation.saturation import weigh_saturated


def draw_case(seed, decimals):
    """Maps with ties, and defects (image, mask, saturation area): they overlap, one image has three, one has none."""
    rng = np.random.default_rng(seed)
    masks = rng.random((5, 8, 9)) > 0.75
    maps = np.round(rng.normal(size=(4, 8, 9)), decimals)
    images = [0, 2, 2, 2, 3]
    for image, mask in zip(images, masks, strict=True):
        maps[image] += mask
    shares = rng.uniform(0.05, 1.0, 4).tolist()
    areas = [float(mask.sum()) * share for mask, share in zip(masks, [*shares, 1.0], strict=True)]
    return maps.astype(np.float32), list(zip(images, masks, areas, strict=True))


def annotate(defects):
    images, masks, areas = zip(*defects, strict=True)
    return Annotations(Rows(np.stack(masks)), np.array(images), np.array(areas, float))


def unite(defects, shape):
    """Masks of the images, (N, H, W)."""
    masks = np.zeros(shape, bool)
    for image, mask, _ in defects:
        masks[image] |= mask
    return masks


def compute_au_spro(maps, defects, limit):
    return integrate_pro_curve(compute_spro_curve(maps, unite(defects, maps.shape), annotate(defects)), limit)


@pytest.mark.parametrize("limit", [0.01, 0.05, 0.3, 1.0])
@pytest.mark.parametrize(("seed", "decimals"), [(0, 0), (1, 1), (2, 1), (3, 6)])
def test_au_spro_against_the_slow_reference(seed, decimals, limit):
    maps, defects = draw_case(seed, decimals)
    expected = integrate_pro(trace_spro(maps, defects), limit)
    assert compute_au_spro(maps, defects, limit) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("decimals", [0, 1, 6])
def test_the_curve_runs_through_every_point_of_the_slow_reference(decimals):
    maps, defects = draw_case(4, decimals)
    curve = compute_spro_curve(maps, unite(defects, maps.shape), annotate(defects))
    points = np.stack([curve.false_positive_rate, curve.region_overlap], axis=1)
    for rate, overlap, _ in trace_spro(maps, defects):
        on_vertex = (abs(points - (rate, overlap)) < 1e-12).all(axis=1).any()
        left = int(np.searchsorted(curve.false_positive_rate, rate, side="right")) - 1
        assert on_vertex or curve.region_overlap[left] == pytest.approx(overlap, abs=1e-12)


def as_row(scores, *defects):
    """One image of one row, and its defects of mask and saturation area."""
    return np.array([[scores]], np.float32), [(0, np.array([mask], bool), area) for mask, area in defects]


def test_a_part_of_the_defect_is_enough_from_the_saturation_area_on():
    # Two of four pixels are marked before the first false positive: half of the defect, and all of its area.
    maps, defects = as_row([9, 8, 1, 1, 5, 0], ([1, 1, 1, 1, 0, 0], 2))
    assert compute_au_spro(maps, defects, 0.05) == 1.0
    assert compute_au_spro(maps, [(0, defects[0][1], 4)], 0.05) == 0.5
    assert compute_au_spro(maps, [(0, defects[0][1], 2.5)], 0.05) == pytest.approx(0.8)


def test_overlapping_defects_are_found_each_by_itself():
    # Columns 0..2 and 2..4: of the first all three pixels are marked, of the second only the one that both share.
    maps, defects = as_row([9, 9, 9, 1, 1, 5, 0], ([1, 1, 1, 0, 0, 0, 0], 3), ([0, 0, 1, 1, 1, 0, 0], 1.5))
    assert compute_au_spro(maps, defects, 0.3) == pytest.approx((1 + 1 / 1.5) / 2)


def test_parts_of_one_defect_count_together():
    # One defect in two pieces, of which one is enough; per-region overlap takes them for two.
    maps, defects = as_row([9, 9, 0, 1, 1, 5], ([1, 1, 0, 1, 1, 0], 2))
    masks = unite(defects, maps.shape)
    assert compute_au_spro(maps, defects, 0.3) == 1.0
    assert integrate_pro_curve(compute_pro_curve(maps, masks), 0.3) == 0.5


def test_defects_that_are_saturated_when_complete_have_the_per_region_overlap():
    maps, _ = draw_case(5, 6)
    masks = np.zeros(maps.shape, bool)
    masks[0, 1:4, 1:3] = masks[1, 5:, 6:] = masks[1, 0, 0] = True
    boxes = [(0, masks[0]), (1, masks[1] & (np.arange(8) > 2)[:, None]), (1, masks[1] & (np.arange(8) < 2)[:, None])]
    defects = [(image, mask, float(mask.sum())) for image, mask in boxes]
    expected = integrate_pro_curve(compute_pro_curve(maps, masks), 0.3)
    assert compute_au_spro(maps, defects, 0.3) == pytest.approx(expected, abs=1e-12)


def test_weights_of_a_defect_sum_to_one_whatever_its_area():
    rng = np.random.default_rng(6)
    mask = rng.random((6, 7)) > 0.5
    for area in (0.2, 1.0, 3.7, float(mask.sum())):
        weights = weigh_saturated(np.round(rng.random(mask.shape), 1), mask, [(mask, area)])
        assert weights.sum() == pytest.approx(1)
        assert (weights >= 0).all()


def test_what_cannot_be_measured_is_an_error():
    maps, defects = draw_case(7, 1)
    masks, none = unite(defects, maps.shape), annotate(defects).select(np.array([1]))
    with pytest.raises(MetricError, match="annotated defects, got none"):
        compute_spro_curve(maps, masks, none)
    masks[0] = False
    masks[0, 0, 0] = True
    with pytest.raises(MetricError, match="covers each annotated defect"):
        compute_spro_curve(maps, masks, annotate(defects))
