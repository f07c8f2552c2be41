"""Held-out normal images, the same under nuisance, and the same with synthetic defects.

A trial takes the place of test images wherever something is chosen: the INT8 model, and a threshold with a margin.
Nuisance is what may differ between good images without being a fault, such as the light or where a part lies.
"""

from dataclasses import dataclass
from itertools import cycle
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.pieces import cut_piece
from efficientad.data.arrays.prepared import Prepared
from efficientad.data.defects.paint import paint_defect
from efficientad.model.sizes import VIEW_PX

Kind = Literal["good", "brightness", "shift", "defect"]
Images = NDArray[np.uint8]
_DEFECTS_EACH = 3  # painted copies of each normal image,
_MOST_DEFECTS = 240  # and of all of them
_MOST_NUISANCE = 60  # normal images of which there is a copy of each nuisance
_MOST_BYTES = 2**30  # of all images, large ones being fewer
_VISIBLE = 8  # levels of 255 by which a pixel of a defect differs
_CORNERS = ((1, 1), (-1, -1), (1, -1), (-1, 1))


@dataclass(frozen=True)
class Nuisance:
    """By how much good images on the station may differ from those given."""

    brightness: float  # share by which all pixels are brighter or darker
    shift: float  # share of height and width by which a part lies elsewhere


@dataclass(frozen=True)
class Trial:
    """Images, what each is, the part that it shows, and where the defects are."""

    images: Images  # (N, H, W, 3) RGB
    kinds: NDArray[np.str_]  # (N,) of `Kind`
    parts: NDArray[np.str_]  # (N,) names; of a copy that of its normal image
    masks: NDArray[np.bool_]  # (N, H, W)

    @property
    def labels(self) -> NDArray[np.int64]:
        """(N,), 0 normal, under nuisance or not, 1 with a synthetic defect."""
        return np.asarray(self.kinds == "defect", np.int64)


def paint_held_out(prepared: Prepared, photographs: Images, nuisance: Nuisance) -> Trial:
    """Return the trial of a product's held-out normal images; see `paint_trial`."""
    held_out = prepared.indices("validation")
    parts = np.array([prepared.rows[index].part or prepared.rows[index].name for index in held_out])
    return paint_trial(prepared.images[held_out], parts, photographs, nuisance)


def paint_trial(normals: Images, parts: NDArray[np.str_], photographs: Images, nuisance: Nuisance) -> Trial:
    """Put copies behind normal images (n, H, W, 3): brighter or darker, shifted, and with painted defects.

    parts (n,) names what each image shows; photographs (P, S, S, 3) are no smaller than 256 px. On a large image the
    defect lies in a piece of 256 px. The same images give the same trial.
    """
    count = len(normals)
    affordable = max((_MOST_BYTES // normals[0].nbytes - count) // 3, count)
    disturbed = np.arange(min(count, _MOST_NUISANCE))
    sources = np.arange(min(count * _DEFECTS_EACH, _MOST_DEFECTS, affordable)) % count
    painted = _paint_defects(normals, photographs, sources)
    changed = np.stack([_find_changes(image, normals[index]) for image, index in zip(painted, sources, strict=True)])
    copies: list[tuple[Kind, NDArray[np.intp], Images]] = [
        ("good", np.arange(count), normals),
        ("brightness", disturbed, _change_light(normals[disturbed], nuisance.brightness)),
        ("shift", disturbed, _shift(normals[disturbed], nuisance.shift)),
        ("defect", sources, painted),
    ]
    images = np.concatenate([some for _, _, some in copies])
    return Trial(
        images,
        np.repeat([kind for kind, _, _ in copies], [len(some) for _, _, some in copies]),
        parts[np.concatenate([places for _, places, _ in copies])],
        np.concatenate([np.zeros((len(images) - len(changed), *images.shape[1:3]), np.bool_), changed]),
    )


def _paint_defects(normals: Images, photographs: Images, sources: NDArray[np.intp]) -> Images:
    rng = np.random.default_rng(0)
    height, width = (min(side, VIEW_PX) for side in normals.shape[1:3])
    painted = normals[sources]
    for image in painted:
        photograph = photographs[rng.integers(len(photographs))][:height, :width]
        other = cut_piece(normals[rng.integers(len(normals))], (height, width), rng)
        piece = cut_piece(image, (height, width), rng)
        piece[...] = paint_defect(piece, photograph, other, rng).image
    return painted


def _change_light(images: Images, share: float) -> Images:
    """Make every other image of (n, H, W, 3) darker by a share, the rest brighter."""
    factors = np.where(np.arange(len(images)) % 2, 1 - share, 1 + share)
    return np.stack([np.clip(np.round(i * f), 0, 255).astype(np.uint8) for i, f in zip(images, factors, strict=True)])


def _shift(images: Images, share: float) -> Images:
    """Move images (n, H, W, 3) towards one corner after another by a share of their sides; borders are mirrored."""
    height, width = images.shape[1:3]
    rows, columns = round(share * height), round(share * width)
    padded = np.pad(images, ((0, 0), (rows, rows), (columns, columns), (0, 0)), mode="reflect")
    shifted = np.empty_like(images)
    for index, (down, right) in zip(range(len(images)), cycle(_CORNERS), strict=False):
        top, left = rows - down * rows, columns - right * columns
        shifted[index] = padded[index, top : top + height, left : left + width]
    return shifted


def _find_changes(image: Images, original: Images) -> NDArray[np.bool_]:
    difference = np.abs(image.astype(np.int16) - original)
    return np.asarray(difference.max(axis=-1) >= _VISIBLE, np.bool_)
