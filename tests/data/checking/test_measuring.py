"""What is measured on one image."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from tiny_images import save_image, save_mask

from efficientad.data.checking.layout import list_contents
from efficientad.data.checking.measuring import measure_all, measure_exposure, measure_image, measure_mask
from efficientad.errors import DataError

RNG = np.random.default_rng(0)
TEXTURE = (120 + 8 * ndimage.gaussian_filter(RNG.standard_normal((200, 240)), 1.2) * 4).astype(np.float32)


def test_brightness_and_contrast_are_mean_and_deviation():
    exposure = measure_exposure(TEXTURE)
    assert exposure.brightness == pytest.approx(TEXTURE.mean(), rel=1e-5)
    assert exposure.contrast == pytest.approx(TEXTURE.std(), rel=1e-5)


def test_sharpness_falls_with_blur_and_not_with_exposure():
    sharp = measure_exposure(TEXTURE).sharpness
    darker = measure_exposure(30 + 0.4 * TEXTURE).sharpness
    assert darker == pytest.approx(sharp, rel=0.01)
    for sigma in (1, 2, 4, 8):  # rounded to levels as a file is: their noise must not pass for detail
        blurred = measure_exposure(ndimage.gaussian_filter(TEXTURE, sigma).round()).sharpness
        assert blurred < 0.8 * sharp, sigma


@pytest.mark.parametrize(
    ("mode", "suffix", "coding"),
    [("RGB", "png", "PNG 8 bit colour"), ("L", "png", "PNG 8 bit grey"), ("L", "jpg", "JPEG 8 bit grey"),
     ("RGB", "tif", "TIFF 8 bit colour")],
)  # fmt: skip
def test_size_and_coding(tmp_path: Path, gradient, mode, suffix, coding):
    Image.fromarray(gradient).convert(mode).save(tmp_path / f"a.{suffix}")
    facts = measure_image(tmp_path / f"a.{suffix}")
    assert (facts.height, facts.width, facts.coding) == (40, 60, coding)


def test_twelve_bits_are_refused_past_a_hot_pixel(tmp_path: Path):
    levels = RNG.integers(0, 4096, (60, 60)).astype(np.uint16)
    levels[3, 3] = 65535
    Image.fromarray(levels).save(tmp_path / "deep.png")
    with pytest.raises(DataError, match="16"):
        measure_image(tmp_path / "deep.png")


def test_copies_in_other_files_have_one_digest(tmp_path: Path):
    for suffix in ("png", "bmp"):
        save_image(tmp_path / f"a.{suffix}", 1)
    save_image(tmp_path / "b.png", 2)
    first, second, other = (measure_image(tmp_path / name).digest for name in ("a.png", "a.bmp", "b.png"))
    assert first == second != other


def test_masks_of_one_image_are_united(tmp_path: Path):
    for n, box in enumerate(((0, 4), (2, 8))):
        mask = np.zeros((10, 10), np.uint8)
        mask[:, box[0] : box[1]] = 255
        Image.fromarray(mask).save(tmp_path / f"{n}.png")
    assert measure_mask([tmp_path / "0.png", tmp_path / "1.png"], 1).share == 0.8
    save_mask(tmp_path / "2.png")
    with pytest.raises(DataError, match="masks of one size"):
        measure_mask([tmp_path / "0.png", tmp_path / "2.png"], 1)


def test_a_file_that_fails_in_any_way_is_told_and_the_rest_is_measured(folder_path: Path, monkeypatch):
    (folder_path / "good/3.png").write_bytes(b"")
    (folder_path / "masks/dent/0.png").write_bytes(b"no mask")
    inspect = measure_image.__globals__["inspect_container"]

    def fail(payload: bytes):
        if payload == (folder_path / "good/5.png").read_bytes():
            raise MemoryError("too large")
        return inspect(payload)

    monkeypatch.setitem(measure_image.__globals__, "inspect_container", fail)
    measured = {entry.sample.name: entry for entry in measure_all(list_contents(folder_path))}
    assert {name: entry.error for name, entry in measured.items() if entry.error} == {
        "good/3.png": "the file is empty",
        "good/5.png": "MemoryError: too large",
    }
    assert [name for name, entry in measured.items() if entry.mask_error] == ["dent/0.png"]
    assert measured["dent/1.png"].mask.pixels == 36
