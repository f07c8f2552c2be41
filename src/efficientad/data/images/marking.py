"""Which pixels of an anomaly map are defective, and which of them belong together."""

import cv2
import numpy as np
from numpy.typing import NDArray

from efficientad.data.images.bands import cut_bands
from efficientad.data.images.resizing import resize_map

_MARKED_SHARE = 0.5  # of a region's highest value


def mark_defects(anomaly_map: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    """Return the pixels (H, W) that an anomaly map (H, W) marks as defective.

    A connected region of pixels above the threshold is a defect, and of it those pixels are marked whose value is half
    of its highest or more: around a clear defect the map falls slowly, and stays above the threshold far outside
    (docs/decisions/0033). Every region keeps its highest pixel, so there are marks where the map exceeds the threshold.
    Two defects that are joined above the threshold are one region: a weak one may lose its marks to a clear one.

    >>> mark_defects(np.array([[0.1, 0.6, 2.0, 0.9, 0.1, 0.6]], np.float32), 0.5).astype(int).tolist()
    [[0, 0, 1, 0, 0, 1]]
    """
    return mark_resized(anomaly_map, threshold, (anomaly_map.shape[0], anomaly_map.shape[1]))


def mark_resized(anomaly_map: NDArray[np.float32], threshold: float, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return what `mark_defects` marks of a map (h, w) brought to `size`, height and width, in 10 bytes a pixel."""
    if not (anomaly_map > threshold).any():  # most images, and bilinear resizing raises no value
        return np.zeros(size, np.bool_)
    marked: NDArray[np.bool_] = resize_map(anomaly_map, *size) > threshold  # of a camera's image the map takes 80 MB
    count, regions = cv2.connectedComponents(marked.view(np.uint8), connectivity=8)
    resized = resize_map(anomaly_map, *size)  # again: meanwhile it would take memory
    highest = np.full(count, -np.inf, resized.dtype)
    for band in cut_bands(size[0]):
        above = marked[band]
        np.maximum.at(highest, regions[band][above], resized[band][above])
    least = np.minimum(highest, highest * _MARKED_SHARE)
    for band in cut_bands(size[0]):
        marked[band] &= resized[band] >= least[regions[band]]
    return marked


def connect_pixels(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Number a mask's (H, W) connected regions, pixels that touch at a corner among them.

    Returns the number at each pixel (H, W), 0 outside of the mask, and x, y, width, height and area in px of each
    region (N, 5): row i is region i + 1.
    """
    _, numbers, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return np.asarray(numbers, np.int32), np.asarray(boxes[1:], np.int32)
