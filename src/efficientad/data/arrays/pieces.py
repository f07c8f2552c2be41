"""A piece of an image, cut at random."""

import numpy as np
from numpy.typing import NDArray


def cut_piece(image: NDArray[np.uint8], size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a piece of an image (H, W, 3) at random, `size` high and wide."""
    top, left = (int(rng.integers(image.shape[axis] - size[axis] + 1)) for axis in (0, 1))
    return image[top : top + size[0], left : left + size[1]]
