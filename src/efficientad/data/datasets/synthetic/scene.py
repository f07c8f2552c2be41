"""What a product's drawing hands to the defects."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from efficientad.data.drawing.shapes import Array, Pose


@dataclass(frozen=True)
class Scene:
    """A good product, lit evenly.

    image:    (SIZE, SIZE, 3) float64 RGB in [0, 1].
    surface:  (SIZE, SIZE) float64 in [0, 1], the product's coverage; defects lie on it.
    pose:     the product's frame.
    misplace: draws the same scene with a foreign or displaced part from a random generator.
    """

    image: Array
    surface: Array
    pose: Pose
    misplace: Callable[[np.random.Generator], Array]


def pick_point(rng: np.random.Generator, surface: NDArray[np.float64]) -> tuple[float, float]:
    """Choose a pixel (column, row) that the product covers wholly, at least 12 px from the border."""
    rows, columns = np.nonzero(surface[12:-12, 12:-12] > 0.99)
    index = int(rng.integers(len(rows)))
    return float(columns[index] + 12), float(rows[index] + 12)
