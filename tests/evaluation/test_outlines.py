"""Outline IoU against sets of pixels and hand-computed numbers."""

import math

import numpy as np
import pytest

from efficientad.data.arrays.rows import Rows
from efficientad.errors import MetricError
from efficientad.evaluation.outlines import compute_outline_iou, compute_outline_ious
from efficientad.evaluation.test_split import TestSplit, measure

THRESHOLD = 0.5


def draw_box(top, left, height=4, width=6, shape=(12, 16)):
    mask = np.zeros(shape, bool)
    mask[top : top + height, left : left + width] = True
    return mask


def as_map(*masks):
    """One map of values above the threshold inside of the masks."""
    return np.where(np.logical_or.reduce(masks), 0.9, 0.1).astype(np.float32)


def mark_plainly(anomaly_map, threshold):
    """The marked pixels, region by region: those with at least half of its highest value, and the highest itself."""
    waiting = {tuple(place) for place in np.argwhere(anomaly_map > threshold).tolist()}
    marked = set()
    while waiting:
        region, front = set(), [waiting.pop()]
        while front:
            row, column = front.pop()
            region.add((row, column))
            near = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & waiting
            waiting -= near
            front += near
        highest = max(float(anomaly_map[pixel]) for pixel in region)
        least = min(highest, highest / 2)
        marked |= {pixel for pixel in region if float(anomaly_map[pixel]) >= least}
    return marked


def compare_sets(anomaly_map, mask, threshold):
    """IoU pixel by pixel, the slow and obvious way."""
    marked = mark_plainly(anomaly_map, threshold)
    annotated = {tuple(pixel) for pixel in np.argwhere(mask).tolist()}
    return len(marked & annotated) / len(marked | annotated)


@pytest.mark.parametrize("decimals", [0, 1, 6])
def test_against_sets_of_pixels(decimals):
    rng = np.random.default_rng(decimals)
    masks = rng.random((5, 11, 9)) > 0.7
    masks[2] = False
    maps = np.round(rng.normal(size=masks.shape) + masks, decimals).astype(np.float32)
    expected = [compare_sets(*pair, THRESHOLD) for pair in zip(maps, masks, strict=True) if pair[1].any()]
    ious = compute_outline_ious(maps, masks, THRESHOLD)
    assert np.isnan(ious).tolist() == [False, False, True, False, False]
    assert ious[[0, 1, 3, 4]].tolist() == expected
    assert compute_outline_iou(maps, masks, THRESHOLD) == pytest.approx(sum(expected) / 4)


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ([draw_box(3, 5)], 1),
        ([draw_box(3, 6)], 20 / 28),  # one column to the right: 5 of 6 columns of 4 px are in both
        ([draw_box(5, 7)], 8 / 40),  # 2 rows and 2 columns away: 2 x 4 px are in both
        ([draw_box(2, 4, 6, 8)], 24 / 48),  # one pixel too wide on every side
        ([draw_box(3, 11)], 0),  # beside it
        ([np.zeros((12, 16), bool)], 0),  # missed
        ([draw_box(3, 5), draw_box(9, 0, 3, 2)], 24 / 30),  # a false region of 6 px elsewhere
        ([np.ones((12, 16), bool)], 24 / 192),
    ],
)
def test_boxes_by_hand(marked, expected):
    value = compute_outline_iou(as_map(*marked)[None], draw_box(3, 5)[None], THRESHOLD)
    assert value == pytest.approx(expected, abs=1e-15)


def test_one_of_two_defects_of_an_image_counts_by_its_area():
    large, small = draw_box(0, 0), draw_box(10, 12, 2, 4)
    assert compute_outline_iou([as_map(large)], [large | small], THRESHOLD) == 24 / 32


def test_every_image_weighs_the_same_and_normal_images_do_not_count():
    masks = [draw_box(0, 0), draw_box(10, 12, 1, 1), np.zeros((12, 16), bool)]
    maps = [as_map(masks[0]), as_map(masks[2]), as_map(masks[0])]  # right, missed, a false alarm
    assert compute_outline_iou(maps, masks, THRESHOLD) == 0.5


def test_a_pixel_at_the_threshold_is_not_marked():
    maps, masks = np.array([[[0.5, 0.75]]], np.float32), np.array([[[True, True]]])
    assert compute_outline_iou(maps, masks, THRESHOLD) == 0.5


@pytest.mark.parametrize(
    ("maps", "masks", "threshold", "message"),
    [
        (np.zeros((1, 2, 2), np.float32), np.zeros((1, 2, 2), bool), THRESHOLD, "mask with a defect, got none"),
        (np.zeros((1, 2, 1), np.float32), np.ones((1, 2, 2), bool), THRESHOLD, r"\(2, 1\) and \(2, 2\)"),
        (np.zeros((2, 2, 2), np.float32), np.ones((1, 2, 2), bool), THRESHOLD, "2 maps and 1 masks"),
        (np.full((1, 2, 2), np.nan, np.float32), np.ones((1, 2, 2), bool), THRESHOLD, "NaN or inf at index 0"),
        (np.zeros((1, 2, 2), np.float32), np.ones((1, 2, 2), np.uint8), THRESHOLD, "uint8"),
        (np.zeros((1, 2, 2), np.float32), np.ones((1, 2, 2), bool), math.nan, "threshold, got NaN"),
    ],
)
def test_what_cannot_be_measured_is_an_error(maps, masks, threshold, message):
    with pytest.raises(MetricError, match=message):
        compute_outline_iou(maps, masks, threshold)


def build_split(defects, annotated):
    """Images of which those with a defect score 0.9; of the annotated ones the mask is their right half."""
    labels = np.array(defects, int)
    masks = np.zeros((len(labels), 4, 8), bool)
    masks[np.array(annotated) & (labels == 1), :, 4:] = True
    maps = np.full(masks.shape, 0.1, np.float32)
    maps[labels == 1, :, 2:6] = 0.9  # 4 columns marked, 2 of them right: 2 / 6
    names = [str(index) for index in range(len(labels))]
    images = Rows(np.zeros((*masks.shape, 3), np.uint8))
    scores = maps.max(axis=(1, 2))
    return TestSplit(names, names, labels, images, Rows(masks), np.array(annotated, bool), Rows(maps), scores)


def test_the_metric_needs_annotated_defects_and_a_threshold():
    split = build_split([0, 1, 1], [True, True, False])
    assert measure(split, 0.3, THRESHOLD)["outline_iou"] == pytest.approx(1 / 3)
    assert measure(split, 0.3, 2.0)["outline_iou"] == 0
    assert "au_pro" in measure(split, 0.3)
    assert "outline_iou" not in measure(split, 0.3)
    assert "outline_iou" not in measure(build_split([0, 1, 1], [True, False, False]), 0.3, THRESHOLD)
    assert "outline_iou" not in measure(build_split([0, 0], [True, True]), 0.3, THRESHOLD)
