"""Of each region above the threshold the pixels of half of its height are marked."""

import numpy as np
import pytest
from scipy import ndimage

from efficientad.data.images.marking import mark_defects


def test_around_a_clear_defect_only_the_half_of_its_height_is_marked():
    """A cone of height 8 that falls by 1 a pixel: above the threshold are 7 pixels on each side, marked are 4."""
    row = np.clip(8.0 - np.abs(np.arange(21) - 10.0), 0, None).astype(np.float32)[None]
    assert np.flatnonzero(mark_defects(row, 0.5)).tolist() == list(range(6, 15))
    assert np.flatnonzero(mark_defects(row, 5.0)).tolist() == list(range(8, 13))  # the threshold is the higher one


def test_each_region_is_measured_by_its_own_highest_value():
    """A weak defect beside a clear one keeps its marks; regions that touch at a corner are one."""
    row = np.array([[8, 3, 0, 1, 0.75]], np.float32)
    assert mark_defects(row, 0.5).tolist() == [[True, False, False, True, True]]
    corner = np.array([[8, 0], [0, 1]], np.float32)
    assert mark_defects(corner, 0.5).tolist() == [[True, False], [False, False]]


@pytest.mark.parametrize("threshold", [-3.0, 0.0, 0.5])
def test_where_the_map_exceeds_the_threshold_something_is_marked_and_nowhere_else(threshold):
    anomaly_map = np.random.default_rng(0).normal(-1, 1, (40, 30)).astype(np.float32)
    marked = mark_defects(anomaly_map, threshold)
    regions, count = ndimage.label(anomaly_map > threshold, np.ones((3, 3)))
    assert count > 0
    for place in ndimage.maximum_position(anomaly_map, regions, range(1, count + 1)):
        assert marked[place]
    assert (anomaly_map[marked] > threshold).all()
    assert not mark_defects(anomaly_map, float(anomaly_map.max())).any()


def test_a_region_of_negative_values_is_marked_where_it_is_highest():
    row = np.array([[-1, -5, -2, -2.5]], np.float32)  # half of -1 and of -2 is higher than they are
    assert mark_defects(row, -3).tolist() == [[True, False, True, False]]
