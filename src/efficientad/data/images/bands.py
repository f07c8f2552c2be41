"""Bands of an image's rows: what is made of one takes little memory."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

_BAND = 256  # rows


def cut_bands(rows: int) -> Iterator[slice]:
    """Return bands of an image's rows: what is made of one takes little memory."""
    return (slice(first, first + _BAND) for first in range(0, rows, _BAND))


def swap_channels(image: NDArray[np.uint8]) -> None:
    """Turn BGR into RGB, or back, where it lies: of a camera's image a copy would take 60 MB."""
    for band in cut_bands(len(image)):
        cv2.cvtColor(image[band], cv2.COLOR_BGR2RGB, dst=image[band])
