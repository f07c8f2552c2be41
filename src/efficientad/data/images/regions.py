"""Areas of a mask's regions in the cells of another size, in whole numbers, so that no rounding decides."""

import numpy as np
from numpy.typing import NDArray


def sum_cells(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.int64]:
    """Return how much of each of `size` equal cells a mask (H, W) covers: 0 to H x W, which is all of it."""
    return _sum_rows(_sum_rows(mask.astype(np.int64), size[0]).T, size[1]).T


def find_lost(regions: NDArray[np.int32], count: int, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels (H, W) of those regions 1 .. count - 1 that no cell of `kept` (h, w) touches.

    regions: (H, W), the number of each pixel's region, 0 outside of all.
    """
    upper, lower = _find_cells(regions.shape[0], kept.shape[0])
    left, right = _find_cells(regions.shape[1], kept.shape[1])
    is_lost = np.ones(count, np.bool_)
    is_lost[0] = False
    is_lost[regions[kept[upper][:, left]]] = False  # most regions: the first cell of some pixel
    rows, columns = np.nonzero(is_lost[regions])
    if len(rows):
        sums = np.pad(np.cumsum(np.cumsum(kept, axis=0, dtype=np.int64), axis=1), ((1, 0), (1, 0)))
        top, bottom, first, last = upper[rows], lower[rows], left[columns], right[columns]
        touched = sums[bottom, last] - sums[top, last] - sums[bottom, first] + sums[top, first] > 0
        is_lost[regions[rows, columns][touched]] = False
    return np.asarray(is_lost[regions], np.bool_)


def _find_cells(length: int, size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first of the `size` cells that each of `length` pixels touches, and the one behind the last."""
    pixels = np.arange(length + 1)
    return pixels[:-1] * size // length, -(-pixels[1:] * size // length)


def _sum_rows(values: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Sum (L, M) over `size` equal cells along the first axis: (size, M), in units of 1 / size of a value."""
    whole, rest = np.divmod(np.arange(size + 1) * len(values), size)
    before = np.pad(np.cumsum(values, axis=0), ((1, 0), (0, 0)))[whole]
    partly = np.pad(values, ((0, 1), (0, 0)))[whole]
    return np.asarray(np.diff(size * before + rest[:, None] * partly, axis=0), np.int64)
