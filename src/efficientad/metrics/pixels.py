"""Pixels ranked by score: the one pass that every pixel metric is computed from.

Only the order of defect pixels among the defect-free ones matters. So the defect-free scores are sorted once,
alone and in their own precision, and the few distinct defect scores are looked up in them. That is exact,
ties included, and holds one copy of the maps and a few arrays as long as the defect pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from efficientad.errors import MetricError

EIGHT_CONNECTED = np.ones((3, 3), dtype=bool)

Maps = Sequence[NDArray[np.floating[Any]]] | NDArray[np.floating[Any]]
Masks = Sequence[NDArray[np.bool_]] | NDArray[np.bool_]


@dataclass(frozen=True)
class PixelRanks:
    """The K distinct scores of defect pixels, from high to low, each with what lies around it.

    `normals_above` and `normals_tied` count defect-free pixels of all images with a greater and with an equal
    score; `defect_counts` counts the defect pixels at that score, `region_shares` sums their weights, the
    inverse areas of their regions. All are (K,).
    """

    scores: NDArray[np.floating[Any]]
    normals_above: NDArray[np.int64]
    normals_tied: NDArray[np.int64]
    defect_counts: NDArray[np.int64]
    region_shares: NDArray[np.float64]
    normal_count: int
    highest: float
    lowest: float


def rank_pixels(maps: Maps, masks: Masks) -> PixelRanks:
    """Rank the defect pixels of all images among the defect-free pixels of all images.

    `maps` are N float arrays (H, W) of any range, `masks` N bool arrays of the same shapes, True on a defect.
    One image at a time is read, so memory-mapped arrays stay on disk.

    Raises:
        MetricError: number or shape of maps and masks differ, masks are not bool, maps are not float, a
            pixel is NaN or infinite, no mask holds a defect, or no pixel is free of defects.
    """
    _check(maps, masks)
    normals, defects, shares = _split(maps, masks)
    normals.sort()
    ascending, group = np.unique(defects, return_inverse=True)
    up_to = np.asarray(np.searchsorted(normals, ascending, side="right"), dtype=np.int64)
    below = np.asarray(np.searchsorted(normals, ascending, side="left"), dtype=np.int64)
    region_shares = np.asarray(np.bincount(group, weights=shares), dtype=np.float64)
    return PixelRanks(
        scores=ascending[::-1],
        normals_above=(normals.size - up_to)[::-1],
        normals_tied=(up_to - below)[::-1],
        defect_counts=np.bincount(group)[::-1],
        region_shares=region_shares[::-1],
        normal_count=normals.size,
        highest=float(max(normals[-1], ascending[-1])),
        lowest=float(min(normals[0], ascending[0])),
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


def _split(
    maps: Maps, masks: Masks
) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]], NDArray[np.float64]]:
    """Scores of all defect-free pixels, of all defect pixels, and the region weights of the latter."""
    dtype = maps.dtype if isinstance(maps, np.ndarray) else np.result_type(*{one.dtype for one in maps})
    defect_count = sum(int(np.count_nonzero(mask)) for mask in masks)
    normals = np.empty(sum(mask.size for mask in masks) - defect_count, dtype=dtype)
    defects, shares = np.empty(defect_count, dtype=dtype), np.empty(defect_count, dtype=np.float64)
    if normals.size == 0 or defect_count == 0:
        raise MetricError(
            f"Expected defect and defect-free pixels, got {defect_count} and {normals.size}: "
            "evaluate images with masks, or leave pixel metrics out."
        )
    normal_at = defect_at = 0
    for one_map, mask in zip(maps, masks, strict=True):
        normal_end = normal_at + mask.size - int(np.count_nonzero(mask))
        normals[normal_at:normal_end] = one_map[~mask]
        normal_at = normal_end
        if mask.any():
            region_shares = weigh_regions(mask)
            defect_end = defect_at + region_shares.size
            defects[defect_at:defect_end], shares[defect_at:defect_end] = one_map[mask], region_shares
            defect_at = defect_end
    return normals, defects, shares


def _check(maps: Maps, masks: Masks) -> None:
    if len(maps) != len(masks) or len(maps) == 0:
        raise MetricError(f"Expected one mask for each map, got {len(maps)} maps and {len(masks)} masks.")
    for index, (one_map, mask) in enumerate(zip(maps, masks, strict=True)):
        if one_map.shape != mask.shape or one_map.ndim != 2:
            raise MetricError(
                f"Expected map and mask of one shape (H, W), got {one_map.shape} and {mask.shape} at index "
                f"{index}: resize the map to its mask."
            )
        if mask.dtype != np.bool_ or not np.issubdtype(one_map.dtype, np.floating):
            raise MetricError(
                f"Expected a float map and a bool mask, got {one_map.dtype} and {mask.dtype} at index "
                f"{index}: convert them, masks with `mask > 0`."
            )
        if not np.isfinite(one_map).all():
            raise MetricError(f"Expected finite maps, got NaN or inf at index {index}: check image and weights.")
