"""Synthetic defects on normal images: more of what the student must not know.

Photographs alone leave a student free to follow its teacher on anything that looks like the product, and so on its
defects. Here a part of a normal image is covered by a shape (as CutPaste, Li et al., CVPR 2021, and DRAEM, Zavrtanik
et al., ICCV 2021, do) and filled with a photograph, with another normal image, or with a lighter or darker tone.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from efficientad.data.drawing.nuisance import smooth_noise
from efficientad.data.drawing.shapes import Path, cover

Array = NDArray[np.float64]
Image = NDArray[np.uint8]


class Defect(NamedTuple):
    """A normal image with a synthetic defect, (h, w, 3) uint8, and how much it covers of each pixel, (h, w)."""

    image: Image
    cover: Array


def paint_defect(image: Image, photograph: Image, other: Image, rng: np.random.Generator) -> Defect:
    """Cover a part of a normal image; all three are RGB (h, w, 3), `other` is normal, too."""
    covered = _SHAPES[rng.integers(len(_SHAPES))](image.shape[:2], rng)
    filling, opacity = _FILLINGS[rng.integers(len(_FILLINGS))](image, photograph, other, rng)
    blend = opacity * ndimage.gaussian_filter(covered, 0.7)[..., None]
    painted = image + blend * (filling - image)
    return Defect(np.clip(np.round(painted), 0, 255).astype(np.uint8), covered)


def _draw_stains(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Irregular stains over 5 to 30 % of the image, a few to some dozen px wide."""
    noise = smooth_noise(rng, shape, 2 ** rng.uniform(2, 5))
    return np.asarray(noise > np.quantile(noise, rng.uniform(0.7, 0.95)), np.float64)


def _draw_cracks(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """One to three winding lines, 1 to 4 px wide."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float64)
    covered = np.zeros(shape)
    for _ in range(rng.integers(1, 4)):
        count = rng.integers(3, 12)
        heading = rng.uniform(0, 2 * math.pi) + np.cumsum(rng.normal(0, 0.4, count))
        length = rng.uniform(4, 14, count)
        x = rng.uniform(0, shape[1]) + np.cumsum(length * np.cos(heading))
        y = rng.uniform(0, shape[0]) + np.cumsum(length * np.sin(heading))
        line = Path(list(zip(x.tolist(), y.tolist(), strict=True)), rng.uniform(1, 4))
        covered = np.maximum(covered, cover(line.distance(columns, rows)))
    return covered


def _draw_spots(shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """One to four ellipses, 2 to 23 px in their longer half."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float64)
    covered = np.zeros(shape)
    for _ in range(rng.integers(1, 5)):
        x, y, angle = rng.uniform(0, shape[1]), rng.uniform(0, shape[0]), rng.uniform(0, math.pi)
        half, ratio = 2 ** rng.uniform(1, 4.5), rng.uniform(0.2, 1)
        along = (columns - x) * math.cos(angle) + (rows - y) * math.sin(angle)
        across = ((rows - y) * math.cos(angle) - (columns - x) * math.sin(angle)) / ratio
        covered = np.maximum(covered, cover((np.hypot(along, across) - half) * ratio))
    return covered


_SHAPES = (_draw_stains, _draw_cracks, _draw_spots)


def _fill_with_photograph(
    image: Image, photograph: Image, other: Image, rng: np.random.Generator
) -> tuple[Array, float]:
    filling = photograph.astype(np.float64)
    if rng.random() < 0.5:
        filling = np.repeat(filling.mean(axis=2, keepdims=True), 3, axis=2)
    return filling, rng.uniform(0.2, 1)


def _fill_with_normal(image: Image, photograph: Image, other: Image, rng: np.random.Generator) -> tuple[Array, float]:
    """Another place of another image, mirrored at times, with more or less contrast and light."""
    shift = tuple(int(rng.integers(side)) for side in other.shape[:2])
    filling = np.roll(other.astype(np.float64), shift, axis=(0, 1))
    filling = filling[::-1] if rng.random() < 0.5 else filling
    mean = filling.mean()
    return (filling - mean) * rng.uniform(0.5, 2) + mean * rng.uniform(0.6, 1.4), rng.uniform(0.5, 1)


def _fill_with_tone(image: Image, photograph: Image, other: Image, rng: np.random.Generator) -> tuple[Array, float]:
    darker, lighter = rng.uniform(0, 0.7), rng.uniform(1.4, 2.5)
    tone = image.mean() * (darker if rng.random() < 0.5 else lighter)
    return np.full(image.shape, tone, np.float64), rng.uniform(0.3, 1)


_FILLINGS = (_fill_with_photograph, _fill_with_normal, _fill_with_tone)
