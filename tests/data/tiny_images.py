"""Images and masks of a few pixels, for the data sets that the tests make."""

from pathlib import Path

import numpy as np
from PIL import Image


def save_image(path: Path, number: int, size: tuple[int, int] = (24, 30)) -> None:
    """Save a noise image of (height, width) that depends on `number` alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def save_mask(path: Path, size: tuple[int, int] = (24, 30), level: int = 255) -> None:
    """Save a mask whose rows 4..9 and columns 6..11 are defect."""
    save_box(path, (4, 10, 6, 12), size, level)


def save_box(path: Path, box: tuple[int, int, int, int], size: tuple[int, int] = (24, 30), level: int = 255) -> None:
    """Save a mask that has a level in a box: its first row and the one after its last, and its columns likewise."""
    top, bottom, left, right = box
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros(size, np.uint8)
    pixels[top:bottom, left:right] = level
    Image.fromarray(pixels).save(path)
