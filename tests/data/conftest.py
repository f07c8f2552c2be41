"""Tiny data sets in the layouts that the providers read."""

from pathlib import Path

import numpy as np
import pytest
from tiny_images import save_image, save_mask


@pytest.fixture
def mvtec_path(tmp_path: Path) -> Path:
    """A category with 8 training, 3 good test and 2 x 2 defective images."""
    path = tmp_path / "mvtec" / "bolt"
    for n in range(8):
        save_image(path / f"train/good/{n:03d}.png", n)
    for n in range(3):
        save_image(path / f"test/good/{n:03d}.png", 100 + n)
    for k, defect in enumerate(("crack", "bent")):
        for n in range(2):
            save_image(path / f"test/{defect}/{n:03d}.png", 200 + 10 * k + n)
            save_mask(path / f"ground_truth/{defect}/{n:03d}_mask.png")
    return path


@pytest.fixture
def tile_path(tmp_path: Path) -> Path:
    """Ten free tiles, two with a crack, one uneven tile with an empty mask."""
    path = tmp_path / "tiles"
    for n in range(10):
        save_image(path / f"MT_Free/Imgs/exp{n}.jpg", n)
        save_mask(path / f"MT_Free/Imgs/exp{n}.png", level=0)
    for n in range(2):
        save_image(path / f"MT_Crack/Imgs/exp{n}.jpg", 20 + n)
        save_mask(path / f"MT_Crack/Imgs/exp{n}.png")
    save_image(path / "MT_Uneven/Imgs/exp0.jpg", 30)
    save_mask(path / "MT_Uneven/Imgs/exp0.png", level=0)
    return path


@pytest.fixture
def folder_path(tmp_path: Path) -> Path:
    """A user's folder: ten good images, three dented ones of which two have masks."""
    path = tmp_path / "mine"
    for n in range(10):
        save_image(path / f"good/{n}.png", n)
    for n in range(3):
        save_image(path / f"dent/{n}.png", 50 + n)
    save_mask(path / "masks/dent/0.png")
    save_mask(path / "masks/dent/1_mask.png")
    return path


@pytest.fixture
def gradient() -> np.ndarray:
    """A smooth (40, 60, 3) image whose channels differ, so that swapped colours or axes show."""
    y, x = np.mgrid[0:40, 0:60]
    return np.stack([x * 4, y * 6, 255 - x * 2 - y * 3], axis=-1).clip(0, 255).astype(np.uint8)
