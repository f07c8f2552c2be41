"""How alike two images of a product are in what tells parts apart, whatever their exposure.

An image becomes a plane of local contrast: grey, 128 x 128 px, minus its local mean, divided by its local standard
deviation. Brightness, gain and shading vanish. The product's mean plane is subtracted, too: what all parts have in
common says nothing of one of them. The similarity of two planes is the mean correlation of 4 x 4 blocks, each at its
best place within some px, so that crops, and small shifts and turns, do not matter.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from efficientad.data.images.planes import correlate_block, smooth_plane
from efficientad.data.images.resizing import resize_image

Images = Sequence[NDArray[np.uint8]] | NDArray[np.uint8]
Planes = NDArray[np.float32]

SIDE = 128  # of a plane, px
DETAIL_PX, CONTRAST_PX = 3.0, 12.0  # deviations of the Gaussians of the local mean and of the local contrast
CONTRAST_FLOOR = 0.1  # grey levels squared; a tenth of a level of noise does not become structure
BLOCKS, MARGIN_PX, SEARCH_PX = 4, 8, 6
COARSE_SIDE, COARSE_SHIFT = 32, 2
_CHUNK = 1024  # rows of the matrix of similarities that are in memory at once


def compute_planes(images: Images) -> Planes:
    """Return the planes (N, 128, 128) float32 of images (H, W, 3) uint8, the product's mean plane subtracted."""
    planes = np.empty((len(images), SIDE, SIDE), np.float32)
    for index in range(len(images)):
        planes[index] = _compute_contrast(np.asarray(images[index]))
    planes -= planes.mean(axis=0)
    return planes


def measure_similarity(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Return the similarity in [-1, 1] of two planes (128, 128): the mean correlation of their blocks.

    Blocks with more contrast in one of the two weigh more, so that a flat background says nothing.
    """
    side = (SIDE - 2 * MARGIN_PX) // BLOCKS
    correlations, weights = [], []
    for top in range(MARGIN_PX, MARGIN_PX + BLOCKS * side, side):
        for left in range(MARGIN_PX, MARGIN_PX + BLOCKS * side, side):
            block, same_place = (plane[top : top + side, left : left + side] for plane in (first, second))
            rows, columns = (slice(start - SEARCH_PX, start + side + SEARCH_PX) for start in (top, left))
            correlations.append(find_peak(correlate_block(block, second[rows, columns])))
            weights.append(max(float(np.square(block).mean()), float(np.square(same_place).mean())))
    return float(np.dot(correlations, weights) / max(sum(weights), 1e-9))


def find_peak(surface: NDArray[np.float32]) -> float:
    """Return the height of a correlation surface's peak, between its samples: a parabola along each axis.

    >>> find_peak(np.float32([[0.0, 0.0, 0.0], [0.0, 0.6, 0.6], [0.0, 0.0, 0.0]])) > 0.6
    True
    """
    row, column = np.unravel_index(int(surface.argmax()), surface.shape)
    peak = float(surface[row, column])
    height = peak + _rise(surface[:, column], int(row)) + _rise(surface[row], int(column))
    return min(height, 1.0)


def find_candidates(
    coarse: Planes, count: int, rows: NDArray[np.intp], groups: NDArray[np.intp] | None = None
) -> NDArray[np.intp]:
    """Return for each of `rows` the `count` other images that are most alike on coarse planes: (len(rows), count).

    `coarse`: (N, 32, 32) of `shrink_planes`; alike means correlated at the best of 5 x 5 shifts. With `groups`, (N,),
    only images of other groups count; there must be `count` of them. The cost is quadratic in N.
    """
    chunks = [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]
    return np.concatenate([_find_nearest(coarse, count, chunk, groups) for chunk in chunks])


def shrink_planes(planes: Planes) -> Planes:
    """Return the means of cells of 4 x 4 px: (N, 32, 32)."""
    cell = SIDE // COARSE_SIDE
    return np.asarray(planes.reshape(-1, COARSE_SIDE, cell, COARSE_SIDE, cell).mean(axis=(2, 4)), np.float32)


def _compute_contrast(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    grey = resize_image(image, (SIDE, SIDE)).mean(axis=-1, dtype=np.float32)
    detail = grey - smooth_plane(grey, DETAIL_PX)
    return np.asarray(detail / np.sqrt(smooth_plane(detail**2, CONTRAST_PX) + CONTRAST_FLOOR), np.float32)


def _rise(line: NDArray[np.float32], index: int) -> float:
    """Return how much higher than its sample at `index` a line's peak is, by the parabola through three samples."""
    if not 0 < index < len(line) - 1:
        return 0.0
    before, peak, after = (float(line[index + step]) for step in (-1, 0, 1))
    curvature = before - 2 * peak + after
    return -((after - before) ** 2) / (8 * curvature) if curvature < 0 else 0.0


def _find_nearest(
    coarse: Planes, count: int, rows: NDArray[np.intp], groups: NDArray[np.intp] | None
) -> NDArray[np.intp]:
    inner, steps = COARSE_SIDE - 2 * COARSE_SHIFT, range(2 * COARSE_SHIFT + 1)
    centre = _normalise(coarse[rows, COARSE_SHIFT:-COARSE_SHIFT, COARSE_SHIFT:-COARSE_SHIFT])
    best = np.full((len(rows), len(coarse)), -1.0, np.float32)
    for top in steps:
        for left in steps:
            moved = _normalise(coarse[:, top : top + inner, left : left + inner])
            np.maximum(best, centre @ moved.T, out=best)
    best[np.arange(len(rows)), rows] = -2.0
    if groups is not None:
        best[groups[rows][:, None] == groups] = -2.0
    return np.argpartition(-best, count - 1, axis=1)[:, :count]


def _normalise(planes: Planes) -> NDArray[np.float32]:
    rows = planes.reshape(len(planes), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9), np.float32)
