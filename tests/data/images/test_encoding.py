"""Images written: the same pixels come back, or for JPEG nearly so."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from efficientad.data.images.encoding import encode_jpeg, encode_png, spend_on_png, write_png
from efficientad.errors import DataError


def test_png_keeps_colour_grey_and_masks(tmp_path: Path, gradient: np.ndarray):
    path = tmp_path / "out.png"
    for image in (gradient, gradient[..., 0], gradient[..., 0] > 90):
        write_png(path, image)
        expected = image.astype(np.uint8) * 255 if image.dtype == bool else image
        np.testing.assert_array_equal(np.array(Image.open(path)), expected)


def test_png_refuses_other_arrays():
    with pytest.raises(DataError, match="float64"):
        encode_png(np.zeros((4, 4, 3)))
    with pytest.raises(DataError, match="expected uint8"):
        encode_png(np.zeros((4, 4, 4), np.uint8))


def test_a_jpeg_is_near_the_image_and_the_same_again(tmp_path):
    rows, columns = np.mgrid[:64, :96]
    image = np.stack([rows * 3, columns * 2, 255 - rows * 3], axis=-1).astype(np.uint8)
    (tmp_path / "image.jpg").write_bytes(encode_jpeg(image))
    with Image.open(tmp_path / "image.jpg") as file:
        assert file.format == "JPEG"
        assert np.abs(np.asarray(file).astype(int) - image).max() < 16
    assert encode_jpeg(image) == encode_jpeg(image)


def test_a_jpeg_of_something_else_is_an_error():
    with pytest.raises(DataError, match="RGB uint8"):
        encode_jpeg(np.zeros((4, 4), np.uint8))


def test_a_png_of_an_image_that_is_not_needed_any_more_is_the_same():
    image = np.random.default_rng(0).integers(0, 256, (300, 40, 3), dtype=np.uint8)
    assert encode_png(image) == spend_on_png(image.copy())
