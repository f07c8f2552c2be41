"""Pixels ranked by score: the one pass that every pixel metric is computed from.

Only the order of defect pixels among the defect-free ones matters. So the scores of all defect pixels are kept and
sorted. Then the defect-free scores of each image are sorted, looked up among them, and counted. The result is exact,
ties included. It takes about as long as one sort of all pixels. In memory are the defect pixels and one image per
thread.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from efficientad.errors import MetricError

_THREADS = min(8, os.cpu_count() or 1)
EIGHT_CONNECTED = np.ones((3, 3), dtype=bool)

Maps = Sequence[NDArray[np.floating[Any]]] | NDArray[np.floating[Any]]
Masks = Sequence[NDArray[np.bool_]] | NDArray[np.bool_]
Weigh = Callable[[int, NDArray[np.floating[Any]], NDArray[np.bool_]], NDArray[np.float64]]
"""Index, map and mask of an image -> a weight for each True pixel of the mask, in row-major order."""


@dataclass(frozen=True)
class PixelRanks:
    """The K distinct scores of defect pixels, from high to low, and how many pixels lie around each.

    `normals_above` and `normals_tied` count defect-free pixels of all images with a greater and with an equal
    score; `defect_counts` counts the defect pixels at that score, `region_shares` sums their weights, by default
    the inverse areas of their regions. All are (K,).
    """

    scores: NDArray[np.floating[Any]]
    normals_above: NDArray[np.int64]
    normals_tied: NDArray[np.int64]
    defect_counts: NDArray[np.int64]
    region_shares: NDArray[np.float64]
    normal_count: int
    highest: float
    lowest: float


def rank_pixels(maps: Maps, masks: Masks, weigh: Weigh | None = None) -> PixelRanks:
    """Rank the defect pixels of all images among the defect-free pixels of all images.

    `maps` are N float arrays (H, W) of any range, `masks` N bool arrays of the same shapes, True on a defect.
    `weigh`: of defect pixels; None: `weigh_regions`. Reads one image at a time, so that memory-mapped arrays stay on
    disk.

    Raises:
        MetricError: number or shape of maps and masks differ, masks are not bool, maps are not float, a
            pixel is NaN or infinite, no mask holds a defect, or no pixel is free of defects.
    """
    check_count(maps, masks)
    defects, shares = _collect_defects(maps, masks, weigh)
    ascending, group = np.unique(defects, return_inverse=True)
    counts, lowest, highest = _count_normals(maps, masks, ascending)
    tied, between = counts[1::2], counts[0::2]  # equal to a defect score; below the first, between two, above the last
    above = np.cumsum(between[::-1])[-2::-1] + np.cumsum(np.append(tied[1:], 0)[::-1])[::-1]
    region_shares = np.asarray(np.bincount(group, weights=shares), dtype=np.float64)
    return PixelRanks(
        scores=ascending[::-1],
        normals_above=above[::-1],
        normals_tied=tied[::-1],
        defect_counts=np.bincount(group)[::-1],
        region_shares=region_shares[::-1],
        normal_count=int(counts.sum()),
        highest=max(highest, float(ascending[-1])),
        lowest=min(lowest, float(ascending[0])),
    )


def weigh_regions(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """1 / area of its 8-connected region for each True pixel of `mask` (H, W), in row-major order.

    The sum over a region is 1, whatever its size.

    >>> weigh_regions(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0]], dtype=bool))
    array([0.5, 0.5, 1. ])
    """
    region, _ = ndimage.label(mask, structure=EIGHT_CONNECTED)
    region_of_pixel = region[mask]
    areas = np.bincount(region_of_pixel)
    return np.asarray(1.0 / areas[region_of_pixel], dtype=np.float64)


def _collect_defects(
    maps: Maps, masks: Masks, weigh: Weigh | None
) -> tuple[NDArray[np.floating[Any]], NDArray[np.float64]]:
    """Scores of all defect pixels, and their weights."""
    defects, shares = [], []
    pixels = 0
    for index, (anomaly_map, mask) in enumerate(zip(maps, masks, strict=True)):
        check_pair(anomaly_map, mask, index)
        pixels += mask.size
        if mask.any():
            defects.append(anomaly_map[mask])
            shares.append(weigh_regions(mask) if weigh is None else weigh(index, anomaly_map, mask))
    count = sum(scores.size for scores in defects)
    if count in (0, pixels):
        raise MetricError(
            f"Expected defect and defect-free pixels, got {count} and {pixels - count}: "
            "evaluate images with masks, or leave pixel metrics out."
        )
    return np.concatenate(defects), np.concatenate(shares)


def _count_normals(
    maps: Maps, masks: Masks, ascending: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.int64], float, float]:
    """Count the defect-free scores by their place among K distinct scores: (2 K + 1,); and find their extremes.

    Entry 2 k counts those between score k - 1 and score k, entry 2 k + 1 those equal to score k.
    """
    counts = np.zeros(2 * len(ascending) + 1, dtype=np.int64)
    lowest, highest = np.inf, -np.inf

    def locate(
        anomaly_map: NDArray[Any], mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.floating[Any]], NDArray[np.int64]]:
        normals = np.sort(anomaly_map[~mask])  # sorted, so that neighbouring scores are looked up in turn
        below = np.searchsorted(ascending, normals, side="left")
        return normals, 2 * below + (ascending[np.minimum(below, len(ascending) - 1)] == normals)

    with ThreadPoolExecutor(_THREADS) as pool:
        for first in range(0, len(maps), _THREADS):  # at most one image per thread is in memory
            rows = range(first, min(first + _THREADS, len(maps)))
            for normals, places in pool.map(lambda row: locate(maps[row], masks[row]), rows):
                if normals.size:
                    starts = np.flatnonzero(np.diff(places, prepend=-1))  # places ascend, as the scores do
                    counts[places[starts]] += np.diff(starts, append=len(places))
                    lowest, highest = min(lowest, float(normals[0])), max(highest, float(normals[-1]))
    return counts, lowest, highest


def check_count(maps: Maps, masks: Masks) -> None:
    """Raise MetricError where there is no map, or not one mask for each."""
    if len(maps) != len(masks) or len(maps) == 0:
        raise MetricError(f"Expected one mask for each map, got {len(maps)} maps and {len(masks)} masks.")


def check_pair(anomaly_map: NDArray[Any], mask: NDArray[Any], index: int) -> None:
    """Raise MetricError, with the image's index, unless a map is float, finite and as large as its bool mask."""
    if anomaly_map.shape != mask.shape or anomaly_map.ndim != 2:
        raise MetricError(
            f"Expected a map and a mask of the same shape (H, W), got {anomaly_map.shape} and {mask.shape} at index "
            f"{index}: resize the map to its mask."
        )
    if mask.dtype != np.bool_ or not np.issubdtype(anomaly_map.dtype, np.floating):
        raise MetricError(
            f"Expected a float map and a bool mask, got {anomaly_map.dtype} and {mask.dtype} at index "
            f"{index}: convert them, masks with `mask > 0`."
        )
    if not np.isfinite(anomaly_map).all():
        raise MetricError(f"Expected finite maps, got NaN or inf at index {index}: check image and weights.")
