"""What makes two images alike: the part's own structure, not exposure, shading, crop or what all parts share."""

import numpy as np
import pytest
from photographed_parts import draw_surface, photograph, photograph_parts

from efficientad.data.datasets.similarity import (
    compute_planes,
    find_candidates,
    find_peak,
    measure_similarity,
    shrink_planes,
)


def test_exposure_gain_and_shading_leave_the_plane_as_it_is():
    rng = np.random.default_rng(0)
    first, second = (np.clip(128 + 20 * draw_surface(rng), 1, 254).round().astype(np.uint8) for _ in range(2))
    darker = (0.5 * first + 10 + np.linspace(0, 60, first.shape[1])).astype(np.uint8)
    planes = compute_planes([np.repeat(plane[..., None], 3, axis=-1) for plane in (first, second, darker)])
    assert np.corrcoef(planes[0].ravel(), planes[2].ravel())[0, 1] > 0.9
    assert planes.shape == (3, 128, 128)
    np.testing.assert_allclose(planes.mean(axis=0), 0, atol=1e-5)


def test_the_same_part_is_far_more_alike_than_another():
    images, parts = photograph_parts(12, [0.5, 1.0], seed=1)
    planes = compute_planes(images)
    pairs = [(i, j) for i in range(24) for j in range(i)]
    same = [measure_similarity(planes[i], planes[j]) for i, j in pairs if parts[i] == parts[j]]
    other = [measure_similarity(planes[i], planes[j]) for i, j in pairs if parts[i] != parts[j]]
    assert len(same) == 12
    assert min(same) > 0.7
    assert max(other) < 0.5


def test_what_all_parts_share_does_not_make_them_alike():
    """The same two images beside others of their product, and beside images that share nothing with them."""
    rng = np.random.default_rng(2)
    common = draw_surface(rng)
    product = [photograph(draw_surface(rng, common, share=0.8), rng, 1.0) for _ in range(20)]
    strangers, _ = photograph_parts(20, [1.0], seed=3)
    among_others, among_strangers = compute_planes(product), compute_planes([*product[:2], *strangers])
    difference = measure_similarity(*among_strangers[:2]) - measure_similarity(*among_others[:2])
    assert difference > 0.1


def test_a_flat_background_says_nothing():
    rng = np.random.default_rng(3)
    plane, other = rng.standard_normal((2, 128, 128)).astype(np.float32)
    flat = plane.copy()
    flat[:, 64:] = 0
    both_flat = flat.copy()
    assert measure_similarity(flat, both_flat) == pytest.approx(1.0, abs=1e-3)
    assert measure_similarity(flat, other) < 0.4
    assert measure_similarity(np.zeros_like(flat), np.zeros_like(flat)) == 0.0


def test_shifts_within_the_search_are_found_and_larger_ones_are_not():
    big = np.random.default_rng(4).standard_normal((160, 160)).astype(np.float32)
    still = big[16:144, 16:144]
    for step, alike in ((0, True), (3, True), (-6, True), (12, False)):
        moved = big[16 + step : 144 + step, 16 - step : 144 - step]
        assert (measure_similarity(still, moved) > 0.95) == alike


def test_the_peak_of_a_sampled_parabola_is_exact():
    y, x = np.mgrid[0:7, 0:9].astype(np.float64)
    surface = (0.9 - 0.01 * (x - 4.3) ** 2 - 0.02 * (y - 2.6) ** 2).astype(np.float32)
    assert find_peak(surface) == pytest.approx(0.9, abs=1e-4)
    assert surface.max() < 0.899
    corner = np.zeros((3, 3), np.float32)
    corner[0, 0] = 0.7
    assert find_peak(corner) == pytest.approx(0.7)


def test_candidates_are_the_most_alike_by_brute_force():
    planes = compute_planes(photograph_parts(10, [0.6, 1.0, 1.2], seed=5)[0])
    coarse = shrink_planes(planes)
    np.testing.assert_allclose(coarse[3, 5, 7], planes[3, 20:24, 28:32].mean(), rtol=1e-5)
    nearest = find_candidates(coarse, 4, np.arange(30))
    for row in range(0, 30, 7):
        scores = {}
        for other in set(range(30)) - {row}:
            shifts = [(a, b) for a in range(5) for b in range(5)]
            moved = [coarse[other, a : a + 28, b : b + 28].ravel() for a, b in shifts]
            scores[other] = max(np.corrcoef(coarse[row, 2:30, 2:30].ravel(), window)[0, 1] for window in moved)
        assert set(nearest[row]) == set(sorted(scores, key=scores.get)[-4:])


def test_candidates_of_other_groups_alone():
    images, parts = photograph_parts(10, [0.6, 1.0, 1.2], seed=5)
    coarse, groups = shrink_planes(compute_planes(images)), np.array(parts)
    rows = np.array([3, 8])
    for row, others in zip(rows, find_candidates(coarse, 27, rows, groups), strict=True):
        assert sorted(others) == [index for index in range(30) if groups[index] != groups[row]]
