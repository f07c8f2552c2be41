"""Planes smoothed and compared."""

import numpy as np
import pytest
from scipy import ndimage

from efficientad.data.images.planes import correlate_block, smooth_plane


def test_a_plane_is_smoothed_by_a_gaussian_mirrored_at_the_border():
    plane = np.random.default_rng(0).standard_normal((30, 41)).astype(np.float32)
    expected = ndimage.gaussian_filter(plane.astype(np.float64), 2.0, mode="reflect", truncate=4.0)
    np.testing.assert_allclose(smooth_plane(plane, 2.0), expected, atol=2e-3)


def test_a_block_is_correlated_with_each_place():
    rng = np.random.default_rng(0)
    block, area = rng.standard_normal((4, 5)).astype(np.float32), rng.standard_normal((7, 9)).astype(np.float32)
    surface = correlate_block(block, area)
    assert surface.shape == (4, 5)
    for row in range(4):
        for column in range(5):
            place = area[row : row + 4, column : column + 5]
            assert surface[row, column] == pytest.approx(np.corrcoef(block.ravel(), place.ravel())[0, 1], abs=1e-5)


def test_what_is_flat_correlates_with_nothing():
    area = np.random.default_rng(0).standard_normal((7, 9)).astype(np.float32)
    assert not correlate_block(np.full((4, 5), 3.0, np.float32), area).any()
    assert not correlate_block(area[:4, :5], np.zeros((7, 9), np.float32)).any()
