"""Regions of an anomaly map, in the image's pixels."""

import numpy as np
import pytest

from efficientad.data.images.resizing import resize_map
from efficientad.deploy.heat_map import draw_heat_map
from efficientad.deploy.regions import Region, find_regions


def draw_map(*peaks, shape=(40, 60)):
    """A map of 0 with rectangles: x, y, width, height, value."""
    anomaly_map = np.zeros(shape, np.float32)
    for x, y, width, height, value in peaks:
        anomaly_map[y : y + height, x : x + width] = value
    return anomaly_map


def test_regions_have_box_area_and_largest_value_and_come_by_decreasing_score():
    anomaly_map = draw_map((2, 3, 4, 5, 1.0), (30, 20, 6, 2, 3.0), (50, 0, 10, 1, 2.0))
    anomaly_map[21, 32] = 4.0
    assert find_regions(anomaly_map, 0.5, (40, 60)) == [
        Region((30, 20, 6, 2), 12, 4.0),
        Region((50, 0, 10, 1), 10, 2.0),
        Region((2, 3, 4, 5), 20, 1.0),
    ]


def test_equal_scores_come_by_their_places():
    found = find_regions(draw_map((9, 9, 2, 2, 1.0), (3, 20, 2, 2, 1.0)), 0.5, (40, 60))
    assert [region.box[:2] for region in found] == [(3, 20), (9, 9)]


def test_pixels_that_touch_at_a_corner_are_one_region_whose_area_is_less_than_its_box():
    assert find_regions(draw_map((5, 5, 2, 2, 1.0), (7, 7, 2, 2, 1.0)), 0.5, (40, 60)) == [
        Region((5, 5, 4, 4), 8, 1.0),
    ]


@pytest.mark.parametrize("highest", [0.4, 0.5, float("nan")])
def test_a_map_that_does_not_exceed_the_threshold_has_no_region(highest):
    assert find_regions(draw_map((5, 5, 9, 9, highest)), 0.5, (40, 60)) == []


def test_only_half_of_a_peaks_height_counts():
    """The threshold is reached far outside of what is marked."""
    anomaly_map = np.maximum(0, 8 - np.abs(np.arange(41, dtype=np.float32) - 20))[None].repeat(3, axis=0)
    (region,) = find_regions(anomaly_map, 0.5, (3, 41))
    assert region == Region((16, 0, 9, 3), 27, 8.0)


def test_boxes_are_in_the_images_pixels_height_before_width():
    (region,) = find_regions(draw_map((12, 8, 6, 4, 1.0)), 0.4, (400, 300))
    x, y, width, height = region.box
    assert (x, width) == (pytest.approx(60, abs=3), pytest.approx(30, abs=5))
    assert (y, height) == (pytest.approx(80, abs=6), pytest.approx(40, abs=10))


def test_regions_are_those_that_the_heat_map_outlines():
    rng = np.random.default_rng(0)
    anomaly_map = resize_map(rng.random((8, 8), dtype=np.float32), 64, 64)
    image = np.zeros((90, 120, 3), np.uint8)
    drawn = (draw_heat_map(image, anomaly_map, 0.6) == 255).all(axis=-1)
    found = find_regions(anomaly_map, 0.6, image.shape[:2])
    assert len(found) > 3
    boxed = np.zeros_like(drawn)
    for x, y, width, height in (region.box for region in found):
        boxed[y : y + height, x : x + width] = True
        for edge in (drawn[y, x : x + width], drawn[y + height - 1, x : x + width]):
            assert edge.any()
        for edge in (drawn[y : y + height, x], drawn[y : y + height, x + width - 1]):
            assert edge.any()
    assert not drawn[~boxed].any()
