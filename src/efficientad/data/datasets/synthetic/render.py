"""From a random generator to an image of a product, and to the exact mask of its defect."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from efficientad.data.datasets.synthetic.circuit import draw_circuit
from efficientad.data.datasets.synthetic.defects import DEFECTS, Defect, draw_defect
from efficientad.data.datasets.synthetic.fabric import draw_fabric
from efficientad.data.datasets.synthetic.scene import Scene
from efficientad.data.datasets.synthetic.washer import draw_washer
from efficientad.data.drawing.nuisance import Exposure, digitise, draw_exposure, project
from efficientad.data.drawing.shapes import Array
from efficientad.errors import DataError

Product = Literal["washer", "fabric", "circuit"]
PRODUCTS: tuple[Product, ...] = get_args(Product)
DRAWINGS: dict[Product, Callable[[np.random.Generator], Scene]] = {
    "washer": draw_washer,
    "fabric": draw_fabric,
    "circuit": draw_circuit,
}
VISIBLE_STEP = 8 / 255
"""A pixel belongs to a defect when a colour channel of the noise-free image changes by at least this."""
SMALLEST_DEFECT_PX = 25
"""A defect with fewer visible pixels is drawn again, a little stronger."""


@dataclass(frozen=True)
class Shot:
    """The same shot without and with a defect, both noise-free (SIZE, SIZE, 3) float64 in [0, 1]."""

    good: Array
    defective: Array
    exposure: Exposure

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(SIZE, SIZE) bool: where the two differ by at least `VISIBLE_STEP` in some channel."""
        return np.asarray((np.abs(self.defective - self.good) >= VISIBLE_STEP).any(axis=-1), np.bool_)


def generate_normal_image(product: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a good product as (320, 320, 3) RGB uint8. Raises DataError for an unknown product."""
    scene = DRAWINGS[check_product(product)](rng)
    exposure = draw_exposure(rng)
    return digitise(project(scene.image, exposure), exposure).astype(np.uint8)


def generate_anomalous_image(
    product: str, defect: str, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return a defective product as (320, 320, 3) RGB uint8 and its exact (320, 320) bool mask.

    Raises DataError for an unknown product or defect.
    """
    shot = draw_shot(product, defect, rng)
    return digitise(shot.defective, shot.exposure).astype(np.uint8), shot.mask


def draw_shot(product: str, defect: str, rng: np.random.Generator) -> Shot:
    """Draw one product twice, good and with a visible defect, under the same light.

    With a generator in the same state `generate_normal_image` gives the good one of the two.
    """
    checked = check_defect(defect)
    scene = DRAWINGS[check_product(product)](rng)
    exposure = draw_exposure(rng)
    good = project(scene.image, exposure)
    for attempt in itertools.count():
        defective = draw_defect(scene, checked, rng, strength=1.15**attempt)
        shot = Shot(good, project(defective, exposure), exposure)
        if shot.mask.sum() >= SMALLEST_DEFECT_PX:
            break
    return shot


def check_product(product: str) -> Product:
    """Return the name if it is one of `PRODUCTS`, else raise DataError."""
    if product not in PRODUCTS:
        raise DataError(f"expected a product of {', '.join(PRODUCTS)}, got {product!r}; correct the category")
    return product


def check_defect(defect: str) -> Defect:
    """Return the name if it is one of `DEFECTS`, else raise DataError."""
    if defect not in DEFECTS:
        raise DataError(f"expected a defect of {', '.join(DEFECTS)}, got {defect!r}; correct the name")
    return defect
