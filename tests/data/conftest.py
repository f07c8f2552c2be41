"""Tiny data sets in the layouts that the providers read."""

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_images import save_box, save_image, save_mask


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


LOCO_KINDS = [
    {"defect_name": "missing", "pixel_value": 255, "saturation_threshold": 20, "relative_saturation": False},
    {"defect_name": "swapped", "pixel_value": 254, "saturation_threshold": 0.5, "relative_saturation": True},
    {"defect_name": "scratch", "pixel_value": 253, "saturation_threshold": 1.0, "relative_saturation": True},
]


@pytest.fixture
def loco_path(tmp_path: Path) -> Path:
    """MVTec LOCO: 6 training, 3 validation, 3 good test images; a logical one with two defects, a structural one.

    The logical defects are of 48 and 80 px and overlap; 20 px, half of the area, and all of the scratch's 6 px are
    enough for each.
    """
    path = tmp_path / "loco" / "box"
    for split, first, count in (("train", 0, 6), ("validation", 50, 3), ("test", 100, 3)):
        for n in range(count):
            save_image(path / f"{split}/good/{n:03d}.png", first + n)
    save_image(path / "test/logical_anomalies/000.png", 200)
    save_box(path / "ground_truth/logical_anomalies/000/000.png", (4, 10, 6, 14), level=255)
    save_box(path / "ground_truth/logical_anomalies/000/001.png", (8, 18, 10, 18), level=254)
    save_image(path / "test/structural_anomalies/000.png", 300)
    save_box(path / "ground_truth/structural_anomalies/000/000.png", (20, 22, 3, 6), level=253)
    (path / "defects_config.json").write_text(json.dumps(LOCO_KINDS))
    return path


@pytest.fixture
def mvtec_3d_path(tmp_path: Path) -> Path:
    """MVTec 3D-AD: 5 training, 2 validation and 2 good test images, 2 cracks; depth beside each image."""
    path = tmp_path / "mvtec_3d" / "bagel"
    for split, kind, first, count in (
        ("train", "good", 0, 5), ("validation", "good", 50, 2), ("test", "good", 100, 2), ("test", "crack", 200, 2),
    ):  # fmt: skip
        for n in range(count):
            save_image(path / f"{split}/{kind}/rgb/{n:03d}.png", first + n)
            save_image(path / f"{split}/{kind}/xyz/{n:03d}.tiff", first + n)
            if split == "test":
                save_mask(path / f"test/{kind}/gt/{n:03d}.png", level=0 if kind == "good" else 255)
    return path


@pytest.fixture
def visa_path(tmp_path: Path) -> Path:
    """VisA: 5 training and 2 good test images, and 2 anomalies of two kinds; the split knows cashews, too."""
    root = tmp_path / "visa"
    lines = ["object,split,label,image,mask", "cashew,train,normal,cashew/Data/Images/Normal/0000.JPG,"]
    for n in (3, 0, 6, 4, 1, 5, 2):
        save_image(root / f"candle/Data/Images/Normal/{n:04d}.JPG", n)
        lines.append(f"candle,{'train' if n < 5 else 'test'},normal,candle/Data/Images/Normal/{n:04d}.JPG,")
    for n in range(2):
        image, mask = f"candle/Data/Images/Anomaly/{n:03d}.JPG", f"candle/Data/Masks/Anomaly/{n:03d}.png"
        save_image(root / image, 200 + n)
        save_mask(root / mask, level=1 + n)
        lines.append(f"candle,test,anomaly,{image},{mask}")
    (root / "split_csv").mkdir()
    (root / "split_csv/1cls.csv").write_text("\r\n".join(lines) + "\r\n", newline="")
    return root / "candle"


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
