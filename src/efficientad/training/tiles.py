"""One part of an image in place of the whole: less work for the same loss in expectation.

A patch description network has no padding, so its features of a crop are those of the whole image at the crop's cells.
The cells are split into parts x parts tiles, one is drawn with equal chance, and its mean is weighted by its area:
every cell counts as in the mean over all, on average over the draws.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from efficientad.networks.pdn import RECEPTIVE_FIELD_PX, STRIDE_PX

_MARGIN_PX = RECEPTIVE_FIELD_PX - 1  # 32: what a row of cells sees beyond 4 px a cell


class Tile(NamedTuple):
    """Cells `top` .. `bottom`, `left` .. `right` of a feature map; `weight` makes their mean count as it should."""

    top: int
    bottom: int
    left: int
    right: int
    weight: float

    def crop_image(self, image: Tensor) -> Tensor:
        """Return the pixels that these cells see of (..., H, W)."""
        return image[..., self._pixels(self.top, self.bottom), self._pixels(self.left, self.right)]

    def crop_array(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the pixels that these cells see of (H, W, 3)."""
        return image[self._pixels(self.top, self.bottom), self._pixels(self.left, self.right)]

    def crop_features(self, features: Tensor) -> Tensor:
        """Return these cells of (..., h, w)."""
        return features[..., self.top : self.bottom, self.left : self.right]

    @staticmethod
    def _pixels(first: int, last: int) -> slice:
        return slice(STRIDE_PX * first, STRIDE_PX * last + _MARGIN_PX)


def count_cells(side_px: int) -> int:
    """Return how many cells a side of an image has.

    >>> count_cells(256)
    56
    """
    return ((side_px - 3) // 2 - 3) // 2 - 5


def choose_tile(side_px: int, parts: int, rng: np.random.Generator) -> Tile:
    """Draw one of `parts` x `parts` tiles of a square image's cells; with 1 it is the whole image.

    >>> choose_tile(256, 1, np.random.default_rng(0))
    Tile(top=0, bottom=56, left=0, right=56, weight=1.0)
    """
    cells = count_cells(side_px)
    borders = np.linspace(0, cells, min(parts, cells) + 1).round().astype(int)
    row, column = rng.integers(len(borders) - 1, size=2)
    top, bottom, left, right = (int(borders[index]) for index in (row, row + 1, column, column + 1))
    share = (bottom - top) * (right - left) / cells**2
    return Tile(top, bottom, left, right, share * (len(borders) - 1) ** 2)
