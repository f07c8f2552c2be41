"""Marked regions of an anomaly map as data: where an image is defective, in the image's pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from efficientad.data.images.marking import connect_pixels, mark_resized
from efficientad.data.images.resizing import resize_map


@dataclass(frozen=True)
class Region:
    """A connected region of an image that is marked as defective."""

    box: tuple[int, int, int, int]  # x, y, width, height, px of the image
    area: int  # px of the image
    score: float  # largest map value


def find_regions(anomaly_map: NDArray[np.float32], threshold: float, image_size: tuple[int, int]) -> list[Region]:
    """Return what a map (h, w) of any size marks in an image of `image_size`, height and width in px.

    The regions are those that `draw_heat_map` outlines (`mark_defects`, docs/decisions/0033), by decreasing score; none
    where the map stays at the threshold or below. They say where, and not whether: the verdict is of the image's score,
    in size L a mean over a window, so that a normal image may have a small region, and one whose score lies just above
    the threshold none.

    >>> find_regions(np.array([[0.1, 0.6, 2.0, 0.9, 0.1, 0.7]], np.float32), 0.5, (1, 6))[0]
    Region(box=(2, 0, 1, 1), area=1, score=2.0)
    """
    if not (anomaly_map > threshold).any():  # most images, and bilinear resizing raises no value
        return []
    marks = mark_resized(anomaly_map, threshold, image_size)
    resized = resize_map(anomaly_map, *image_size)
    numbers, boxes = connect_pixels(marks)
    highest = np.full(len(boxes), -np.inf, np.float32)
    numbers, values = numbers[marks] - 1, resized[marks]
    np.maximum.at(highest, numbers, values)
    found = [
        Region((int(x), int(y), int(width), int(height)), int(area), float(score))
        for (x, y, width, height, area), score in zip(boxes, highest, strict=True)
    ]
    return sorted(found, key=lambda region: (-region.score, region.box))
