"""Colours, outlines and blends for people to look at."""

import cv2
import numpy as np
from numpy.typing import NDArray

from efficientad.errors import DataError


def colour_map(map01: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colour a (H, W) map in [0, 1] (values outside are clipped): (H, W, 3) RGB uint8, Turbo palette."""
    levels = np.round(np.clip(map01, 0.0, 1.0) * 255.0).astype(np.uint8)
    bgr = cv2.applyColorMap(levels, cv2.COLORMAP_TURBO)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def outline(
    image: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    colour: tuple[int, int, int] = (255, 0, 0),
    thickness: int = 1,
) -> NDArray[np.uint8]:
    """Return a copy of an RGB image (H, W, 3) with the borders of a (H, W) mask's regions and holes drawn.

    `colour` is RGB, `thickness` in px. Raises DataError when image and mask differ in size.
    """
    outlined = image.copy()
    draw_outline(outlined, mask, colour, thickness)
    return outlined


def draw_outline(
    image: NDArray[np.uint8], mask: NDArray[np.bool_], colour: tuple[int, int, int], thickness: int
) -> None:
    """Do as `outline` in the image itself."""
    if image.shape[:2] != mask.shape:
        raise DataError(f"expected a mask of size {image.shape[:2]}, got {mask.shape}; resize one of them")
    contours, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(image, contours, -1, colour, thickness)


def blend_images(first: NDArray[np.uint8], second: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Return (1 - share) x first + share x second, rounded; both are uint8 of one shape."""
    return np.asarray(cv2.addWeighted(first, 1.0 - share, second, share, 0.0), np.uint8)
