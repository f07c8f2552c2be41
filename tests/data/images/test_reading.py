"""Every kind of image a line camera, a scanner or an annotation tool may hand over."""

import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from efficientad.data.images.encoding import encode_png, write_png
from efficientad.data.images.reading import decode_image, read_image, read_mask
from efficientad.errors import DataError


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "tiff"])
def test_lossless_colour_files_return_their_rgb_bytes(tmp_path: Path, gradient: np.ndarray, suffix: str):
    path = tmp_path / f"part.{suffix}"
    Image.fromarray(gradient).save(path)
    image = read_image(path)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, gradient)


@pytest.mark.parametrize(("suffix", "options"), [("jpg", {"progressive": True}), ("jpg", {}), ("webp", {})])
def test_lossy_files_agree_with_pillow(tmp_path: Path, gradient: np.ndarray, suffix: str, options: dict):
    path = tmp_path / f"part.{suffix}"
    Image.fromarray(gradient).save(path, quality=95, **options)
    expected = np.array(Image.open(path).convert("RGB")).astype(int)
    assert np.abs(read_image(path).astype(int) - expected).max() <= 4


def test_lossless_webp(tmp_path: Path, gradient: np.ndarray):
    path = tmp_path / "part.webp"
    Image.fromarray(gradient).save(path, lossless=True)
    np.testing.assert_array_equal(read_image(path), gradient)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_grey_becomes_three_equal_channels(tmp_path: Path, gradient: np.ndarray, suffix: str):
    path = tmp_path / f"grey.{suffix}"
    Image.fromarray(gradient[..., 0]).save(path)
    np.testing.assert_array_equal(read_image(path), np.repeat(gradient[..., :1], 3, axis=-1))


def test_black_and_white_and_palette_are_expanded(tmp_path: Path, gradient: np.ndarray):
    for mode in ("1", "P"):
        path = tmp_path / f"{mode}.png"
        converted = Image.fromarray(gradient).convert(mode)
        converted.save(path)
        np.testing.assert_array_equal(read_image(path), np.array(converted.convert("RGB")))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_divided_by_257_with_rounding(tmp_path: Path, suffix: str):
    levels = np.array([[0, 128, 129, 257, 385, 386], [4095, 30000, 32767, 65278, 65406, 65535]], np.uint16)
    path = tmp_path / f"deep.{suffix}"
    Image.fromarray(levels).save(path)
    expected = np.round(levels / 257).astype(np.uint8)
    np.testing.assert_array_equal(read_image(path), np.repeat(expected[..., None], 3, axis=-1))


def _save_deep(path: Path, bright: int, level: int = 65535) -> Path:
    """Save 1,000 grey pixels of 12 bits in 16, `bright` of them brighter."""
    levels = np.random.default_rng(0).integers(0, 4096, (25, 40), dtype=np.uint16)
    levels.flat[:bright] = level
    Image.fromarray(levels).save(path)
    return path


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_twelve_bits_in_sixteen_are_refused_whatever_a_hot_pixel_says(tmp_path: Path, suffix: str):
    for bright in (0, 1):
        with pytest.raises(DataError, match=rf"part\.{suffix}, got {bright} of 1000 pixels above 4095: .*multiply by"):
            read_image(_save_deep(tmp_path / f"part.{suffix}", bright))


def test_a_thousandth_of_a_large_image_may_be_hot(tmp_path: Path):
    levels = np.zeros((100, 100), np.uint16)
    levels.flat[:10] = 65535
    Image.fromarray(levels).save(tmp_path / "part.png")
    with pytest.raises(DataError, match="got 10 of 10000 pixels above 4095"):
        read_image(tmp_path / "part.png")
    levels.flat[10:] = 4095
    Image.fromarray(levels).save(tmp_path / "part.png")
    with pytest.raises(DataError, match="got 10 of 10000 pixels above 4095"):
        read_image(tmp_path / "part.png")
    levels.flat[10] = 4096
    Image.fromarray(levels).save(tmp_path / "part.png")
    read_image(tmp_path / "part.png")


def test_a_dark_image_with_more_than_a_thousandth_of_bright_pixels_is_what_it_is(tmp_path: Path):
    image = read_image(_save_deep(tmp_path / "dark.png", 2, level=4096))
    assert image.max() == 16
    read_mask(_save_deep(tmp_path / "mask.png", 0))  # levels of masks are labels


def test_dark_eight_bit_images_are_fine(tmp_path: Path):
    write_png(tmp_path / "dark.png", np.full((8, 8), 5, np.uint8))
    assert read_image(tmp_path / "dark.png").max() == 5


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_opaque_alpha_is_dropped(tmp_path: Path, gradient: np.ndarray, mode: str, suffix: str):
    path = tmp_path / f"part.{suffix}"
    converted = Image.fromarray(gradient).convert(mode)
    converted.save(path)
    np.testing.assert_array_equal(read_image(path), np.array(converted.convert("RGB")))


def _transparent(gradient: np.ndarray, mode: str) -> Image.Image:
    image = Image.fromarray(gradient).convert("RGBA")
    image.putalpha(Image.fromarray(np.where(gradient[..., 0] > 100, 255, 128).astype(np.uint8)))
    return image.convert(mode)


@pytest.mark.parametrize(("mode", "suffix"), [("RGBA", "png"), ("LA", "png"), ("RGBA", "tif"), ("RGBA", "webp")])
def test_transparent_pixels_are_refused(tmp_path: Path, gradient: np.ndarray, mode: str, suffix: str):
    path = tmp_path / f"part.{suffix}"
    _transparent(gradient, mode).save(path)
    with pytest.raises(DataError, match=r"part.*transparent"):
        read_image(path)


def test_a_transparent_palette_entry_is_refused(tmp_path: Path, gradient: np.ndarray):
    path = tmp_path / "part.png"
    image = Image.fromarray(gradient).convert("P")
    image.save(path, transparency=int(np.array(image)[0, 0]))
    with pytest.raises(DataError, match="transparent"):
        read_image(path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_exif_orientation_is_applied(tmp_path: Path, gradient: np.ndarray, orientation: int, suffix: str):
    path = tmp_path / f"turned.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(gradient).save(path, exif=exif, **({} if suffix == "tif" else {"quality": 95}))
    expected = np.array(ImageOps.exif_transpose(Image.open(path)).convert("RGB")).astype(int)
    image = read_image(path)
    assert image.shape == expected.shape
    assert np.abs(image.astype(int) - expected).max() <= 4


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_is_refused(tmp_path: Path, gradient: np.ndarray, suffix: str):
    path = tmp_path / f"print.{suffix}"
    Image.fromarray(gradient).convert("CMYK").save(path)
    with pytest.raises(DataError, match=r"print.*CMYK"):
        read_image(path)


def test_float_samples_are_refused(tmp_path: Path):
    path = tmp_path / "heat.tif"
    Image.fromarray(np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)).save(path)
    with pytest.raises(DataError, match=r"heat\.tif.*float"):
        read_image(path)


@pytest.mark.parametrize(("suffix", "reason"), [("png", "animated"), ("webp", "animated"), ("tif", "pages")])
def test_several_images_in_one_file_are_refused(tmp_path: Path, gradient: np.ndarray, suffix: str, reason: str):
    path = tmp_path / f"film.{suffix}"
    frames = [Image.fromarray(np.roll(gradient, step, axis=0)) for step in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match=rf"film.*{reason}"):
        read_image(path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "bmp", "webp"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.97])
def test_cut_files_are_refused(tmp_path: Path, suffix: str, kept: float):
    path = tmp_path / f"cut.{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(DataError, match=r"cut\."):
        read_image(path)


def test_a_cut_jpeg_with_a_whole_thumbnail_is_refused(tmp_path: Path, gradient: np.ndarray):
    """The thumbnail inside the EXIF block ends with the very marker that the image itself lacks."""
    import io

    thumbnail = io.BytesIO()
    Image.fromarray(gradient).save(thumbnail, "jpeg")
    path = tmp_path / "camera.jpg"
    Image.fromarray(gradient).save(path, exif=b"Exif\x00\x00" + thumbnail.getvalue())
    read_image(path)
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(DataError, match="cut short"):
        read_image(path)


def test_a_flipped_bit_in_a_png_is_noticed(tmp_path: Path, gradient: np.ndarray):
    path = tmp_path / "part.png"
    payload = bytearray(encode_png(gradient))
    payload[len(payload) // 2] ^= 1
    path.write_bytes(payload)
    with pytest.raises(DataError, match="damaged"):
        read_image(path)


def test_missing_empty_and_foreign_files_are_refused_by_name(tmp_path: Path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("not an image")
    for name, reason in [("missing.png", "open"), ("empty.png", "empty"), ("text.png", "is not a")]:
        with pytest.raises(DataError, match=rf"{name}.*{reason}"):
            read_image(tmp_path / name)


def test_paths_may_hold_any_character(tmp_path: Path, gradient: np.ndarray):
    path = tmp_path / "Prüfung 検査" / "Öse 1.png"
    path.parent.mkdir()
    write_png(path, gradient)
    np.testing.assert_array_equal(read_image(path), gradient)


def test_the_content_decides_not_the_suffix(tmp_path: Path, gradient: np.ndarray):
    path = tmp_path / "really_a_png.jpg"
    path.write_bytes(encode_png(gradient))
    np.testing.assert_array_equal(read_image(path), gradient)


def test_mask_is_any_nonzero_value(tmp_path: Path):
    levels = np.array([[0, 1, 127], [128, 255, 0]], np.uint8)
    for suffix in ("png", "bmp", "tif"):
        path = tmp_path / f"mask.{suffix}"
        Image.fromarray(levels).save(path)
        np.testing.assert_array_equal(read_mask(path), levels > 0)
        np.testing.assert_array_equal(read_mask(path, at_least=128), levels >= 128)


def test_a_jpeg_mask_is_refused(tmp_path: Path):
    Image.new("L", (8, 8)).save(tmp_path / "mask.jpg")
    with pytest.raises(DataError, match=r"mask\.jpg.*without loss"):
        read_mask(tmp_path / "mask.jpg")


@pytest.mark.parametrize(("mode", "suffix"), [("RGBA", "png"), ("LA", "png"), ("RGBA", "tif")])
def test_a_mask_with_transparent_pixels_is_refused_and_opaque_ones_count(
    tmp_path: Path, gradient: np.ndarray, mode: str, suffix: str
):
    path = tmp_path / f"mask.{suffix}"
    _transparent(gradient, mode).save(path)
    with pytest.raises(DataError, match=r"expected opaque pixels in .*mask.*flatten it first"):
        read_mask(path)
    Image.fromarray(gradient).convert(mode).save(path)
    assert read_mask(path).any()


def test_bytes_are_an_image_as_their_file_is(tmp_path: Path, gradient: np.ndarray):
    write_png(tmp_path / "part.png", gradient)
    payload = (tmp_path / "part.png").read_bytes()
    np.testing.assert_array_equal(decode_image(payload, "the upload"), read_image(tmp_path / "part.png"))
    with pytest.raises(DataError, match="cannot read the upload: the file is cut short"):
        decode_image(payload[:300], "the upload")


def test_sixteen_bits_take_half_as_much_again_as_they_hold():
    """Two bytes a sample while they are decoded, one more for the result; in one piece the sums would take eight."""
    payload = bytes(cv2.imencode(".png", np.full((1500, 2000, 3), 40_000, np.uint16))[1])
    tracemalloc.start()
    image = decode_image(payload, "grey")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (image == (40_000 + 128) // 257).all()
    sums = 2 * 4 * 256 * image[0].size  # of a band, before and after the division
    assert peak < 3.1 * image.nbytes + sums < 8 * image.nbytes
