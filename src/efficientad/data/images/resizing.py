"""Bring images, masks and maps to another size.

`resize_image` is the one definition of "the image at the model's size": preparation, evaluation and the
inspection station all call it, so that training and production see the same pixels.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from efficientad.data.images.bands import cut_bands
from efficientad.data.images.regions import find_lost, sum_cells


def resize_image(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bring (H, W, 3) uint8 to `size`, height and width; the aspect ratio is not kept, as in the paper.

    Where no axis is enlarged: the mean over each output pixel's area (cv2.INTER_AREA), which does not alias.
    Otherwise, that is when at least one axis is enlarged: bilinear, pixel centres aligned
    (cv2.INTER_LINEAR). An image that has the size already is returned as a copy. The same input gives the
    same bytes on every call.
    """
    if image.shape[:2] == size:
        return image.copy()
    height, width = size
    method = cv2.INTER_AREA if image.shape[0] >= height and image.shape[1] >= width else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), np.uint8)


def resize_mask(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Bring a (H, W) mask to `size`, height and width: a pixel is defect when at least half of its area is.

    Of a region (its pixels touch, at corners, too) of which nothing would be left, any coverage counts, beside larger
    ones as well: no region is ever lost. Coverage is summed in whole numbers, so no rounding decides.
    """
    resized = np.asarray(2 * sum_cells(mask, size) >= mask.size, np.bool_)
    count, regions = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    lost = find_lost(regions, count, resized)
    return np.asarray(resized | (sum_cells(lost, size) > 0), np.bool_) if lost.any() else resized


def resize_map(anomaly_map: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Bring a map (h, w) to (height, width), bilinear: for showing it, never for scoring."""
    return np.asarray(cv2.resize(anomaly_map, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def resize_bands(
    anomaly_map: NDArray[np.float32], height: int, width: int
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Yield `resize_map` of finite values, up to rounding, band by band with its rows.

    The whole of a camera's image takes 80 MB.
    """
    wide = resize_map(anomaly_map, len(anomaly_map), width)
    centres = (np.arange(height) + 0.5) * (len(wide) / height) - 0.5
    places = np.clip(centres, 0, len(wide) - 1)
    tops = places.astype(np.intp)
    bottoms = np.minimum(tops + 1, len(wide) - 1)
    shares = (places - tops).astype(np.float32)[:, None]
    for band in cut_bands(height):
        upper, lower = wide[tops[band]], wide[bottoms[band]]
        yield band, upper + (lower - upper) * shares[band]
