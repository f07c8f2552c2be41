"""Held-out normal images beside copies of them with synthetic defects: what tells how a detector separates the two.

A trial takes the place of test images wherever something is chosen, such as the INT8 model.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from efficientad.data.defects.paint import paint_defect
from efficientad.data.pieces import cut_piece
from efficientad.model.sizes import VIEW_PX

_DEFECTS_EACH = 3  # painted copies of each normal image,
_MOST_DEFECTS = 240  # and of all of them
_MOST_BYTES = 2**30  # of all images, large ones being fewer
_VISIBLE = 8  # levels of 255 by which a pixel of a defect differs


@dataclass(frozen=True)
class Trial:
    """Images, their labels and where the defects are."""

    images: NDArray[np.uint8]  # (N, H, W, 3) RGB
    labels: NDArray[np.int64]  # (N,), 0 normal, 1 with a synthetic defect
    masks: NDArray[np.bool_]  # (N, H, W)


def paint_trial(normals: NDArray[np.uint8], photographs: NDArray[np.uint8]) -> Trial:
    """Put painted copies behind normal images (n, H, W, 3); photographs (P, S, S, 3) are no smaller than 256 px.

    On a large image the defect lies in a piece of 256 px. The same images give the same trial.
    """
    rng = np.random.default_rng(0)
    height, width = (min(side, VIEW_PX) for side in normals.shape[1:3])
    affordable = max(_MOST_BYTES // normals[0].nbytes - len(normals), len(normals))
    sources = np.arange(min(len(normals) * _DEFECTS_EACH, _MOST_DEFECTS, affordable)) % len(normals)
    painted = normals[sources]
    for image in painted:
        photograph = photographs[rng.integers(len(photographs))][:height, :width]
        other = cut_piece(normals[rng.integers(len(normals))], (height, width), rng)
        piece = cut_piece(image, (height, width), rng)
        piece[...] = paint_defect(piece, photograph, other, rng).image
    changed = np.stack([_find_changes(image, normals[index]) for image, index in zip(painted, sources, strict=True)])
    masks = np.concatenate([np.zeros(normals.shape[:3], np.bool_), changed])
    labels = np.repeat([0, 1], [len(normals), len(painted)])
    return Trial(np.concatenate([normals, painted]), labels, masks)


def _find_changes(image: NDArray[np.uint8], original: NDArray[np.uint8]) -> NDArray[np.bool_]:
    difference = np.abs(image.astype(np.int16) - original)
    return np.asarray(difference.max(axis=-1) >= _VISIBLE, np.bool_)
