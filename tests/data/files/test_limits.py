"""No file is decoded that promises more pixels or bytes than the bounds allow."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from efficientad.data.files.containers import inspect_container
from efficientad.data.files.limits import LIMITS, Limits
from efficientad.data.images import reading
from efficientad.data.images.reading import read_image, read_mask
from efficientad.errors import DataError


@pytest.mark.parametrize(
    ("suffix", "options"),
    [("png", {}), ("jpg", {}), ("jpg", {"progressive": True}), ("tif", {}), ("tif", {"compression": "tiff_lzw"}),
     ("bmp", {}), ("webp", {}), ("webp", {"lossless": True}), ("webp", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"})],
)  # fmt: skip
def test_every_format_says_its_sides_before_it_is_decoded(tmp_path: Path, suffix: str, options: dict):
    for width, height in ((300, 20), (17, 261)):
        path = tmp_path / f"part.{suffix}"
        Image.new("RGB", (width, height), (9, 99, 200)).save(path, **options)
        container = inspect_container(path.read_bytes())
        assert (container.height, container.width) == (height, width)


def test_a_bitmap_that_stands_on_its_head_has_sides_without_sign(tmp_path: Path):
    Image.new("RGB", (30, 20)).save(tmp_path / "part.bmp")
    payload = bytearray((tmp_path / "part.bmp").read_bytes())
    payload[22:26] = struct.pack("<i", -20)
    assert inspect_container(bytes(payload)).height == 20


def test_a_bitmap_with_the_older_header_of_os2_has_its_sides(tmp_path: Path):
    pixels = np.arange(2 * 8 * 3, dtype=np.uint8).reshape(2, 8, 3)
    header = b"BM" + struct.pack("<IHHI", 26 + pixels.size, 0, 0, 26) + struct.pack("<IHHHH", 12, 8, 2, 1, 24)
    (tmp_path / "old.bmp").write_bytes(header + pixels.tobytes())
    np.testing.assert_array_equal(read_image(tmp_path / "old.bmp"), pixels[::-1, :, ::-1])


def test_a_tiff_cannot_hide_its_sides_in_a_type_that_is_not_looked_at(tmp_path: Path):
    path = tmp_path / "part.tif"
    Image.new("L", (30, 20)).save(path)
    payload = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<I", payload, 4)
    assert struct.unpack_from("<H", payload, start + 2) == (256,)
    struct.pack_into("<HI", payload, start + 4, 9, 1)  # SLONG, which libtiff takes
    path.write_bytes(payload)
    with pytest.raises(DataError, match="its TIFF tags name no width or height"):
        read_image(path)


def write_bomb(path: Path, side: int) -> Path:
    """Write a PNG of some kilobytes which promises side x side black pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(10**6))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))
    return path


def test_a_small_file_with_a_huge_image_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(reading, "_decode", None)
    path = write_bomb(tmp_path / "bomb.png", 30_000)
    for read in (read_image, read_mask):
        with pytest.raises(DataError, match=r"bomb\.png: the file has 30000 x 30000 px, .* bound of 200 megapixels"):
            read(path)


def test_a_file_of_too_many_bytes_is_refused_before_it_is_read(tmp_path: Path, monkeypatch):
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(LIMITS.megabytes * 10**6 + 10**6)  # sparse
    monkeypatch.setattr(Path, "read_bytes", None)
    with pytest.raises(DataError, match=r"large\.png: the file has 1,025\.0 MB, more than the bound of 1024"):
        read_image(tmp_path / "large.png")


def test_the_bounds_are_included_and_can_be_chosen(tmp_path: Path):
    path = tmp_path / "part.png"
    Image.fromarray(np.zeros((100, 200), np.uint8)).save(path)
    megabytes = path.stat().st_size / 10**6
    read_image(path, Limits(0.02, megabytes))
    with pytest.raises(DataError, match=r"has 0\.0 MB, more than the bound of"):
        read_image(path, Limits(0.02, megabytes * 0.999))
    with pytest.raises(DataError, match=r"has 200 x 100 px, more than the bound of 0\.0199 megapixels"):
        read_image(path, Limits(0.0199, 1))


def test_the_values_of_a_tiffs_tags_are_counted_in_bytes(tmp_path: Path):
    path = tmp_path / "part.tif"
    Image.new("L", (30, 20)).save(path)
    payload = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<I", payload, 4)
    struct.pack_into("<HHII", payload, start + 2, 40000, 12, len(payload) // 4, 8)  # doubles: twice the file
    path.write_bytes(payload)
    with pytest.raises(DataError, match="its TIFF tags claim more values than it has bytes"):
        read_image(path)


@pytest.mark.parametrize("tag", [256, 270, 273, 40000])
def test_a_tiff_whose_tags_lie_on_each_other_is_refused_at_once(tmp_path: Path, tag: int):
    """60,000 tags, each of which claims 100,000 values at the same place of a file of less than a megabyte."""
    step = 1 if tag == 40000 else 0
    tags = b"".join(struct.pack("<HHII", (tag + step * i) % 65536, 4, 100_000, 8) for i in range(60_000))
    payload = b"II*\0" + struct.pack("<IH", 8, 60_000) + tags + struct.pack("<I", 0)
    (tmp_path / "tags.tif").write_bytes(payload)
    with pytest.raises(DataError, match=r"tags\.tif: the file is damaged \(its TIFF tags claim more values"):
        read_image(tmp_path / "tags.tif")
