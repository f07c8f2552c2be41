"""Parts of a feature map, and the pixels that they are made of.

A patch description network has no padding, so its features of a crop are those of the whole image at the crop's cells:
pieces that overlap by what a cell sees beyond its own pixels fit together without a seam.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from efficientad.model.pdn import RECEPTIVE_FIELD_PX, STRIDE_PX

_MARGIN_PX = RECEPTIVE_FIELD_PX - 1  # 32: what a row of cells sees beyond 4 px a cell
_MOST_CELLS = 248  # a side of a tile: 1,024 px, so that memory does not grow with the image


class Tile(NamedTuple):
    """Cells `top` .. `bottom`, `left` .. `right` of a feature map; `weight` makes their mean count as it should."""

    top: int
    bottom: int
    left: int
    right: int
    weight: float = 1.0

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


def split_cells(height_px: int, width_px: int, most: int = _MOST_CELLS) -> list[list[Tile]]:
    """Return rows of tiles that hold each cell of an image once, none with more than `most` cells a side.

    >>> split_cells(256, 480, most=60)
    [[Tile(top=0, bottom=56, left=0, right=56, weight=1.0), Tile(top=0, bottom=56, left=56, right=112, weight=1.0)]]
    """
    rows, columns = (list(pairwise(_cut(count_cells(side), most))) for side in (height_px, width_px))
    return [[Tile(*row, *column) for column in columns] for row in rows]


def _cut(cells: int, most: int) -> list[int]:
    parts = -(-cells // most)
    return [cells * part // parts for part in range(parts + 1)]
