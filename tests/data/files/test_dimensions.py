"""The pixels that a file announces are those that decoding gives."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from efficientad.data.files.containers import inspect_container
from efficientad.data.files.dimensions import read_dimensions
from efficientad.data.files.images import encode_png

WIDTH, HEIGHT = 131, 77
PIXELS = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def save(kind: str, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"exif": b"Exif\x00\x00" + bytes(20_000)}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": bytes(100)}),  # the extended header
    ],
    ids=str,
)
def test_every_format(kind, options):
    assert read_dimensions(save(kind, **options)) == (HEIGHT, WIDTH)


def test_big_endian_tiff_with_long_values():
    entries = struct.pack(">HHII", 256, 4, 1, 70_000) + struct.pack(">HHII", 257, 4, 1, 90_000)
    assert read_dimensions(b"MM\x00*" + struct.pack(">IH", 8, 2) + entries) == (90_000, 70_000)


def test_the_largest_frame_of_a_jpeg_counts():
    """A decoder takes one of them; which one is not to be guessed."""
    payload = save("JPEG")
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, 60_000, 50_000, 3) + bytes(9)
    assert read_dimensions(payload[:2] + frame + payload[2:]) == (60_000, 50_000)
    assert read_dimensions(payload[:-2] + frame + payload[-2:]) == (60_000, 50_000)


def test_a_file_of_a_few_bytes_announces_its_pixels():
    """Made by hand: a PNG whose header was changed."""
    payload = bytearray(encode_png(np.zeros((1, 1), np.uint8)))
    payload[16:24] = struct.pack(">II", 50_000, 40_000)
    assert read_dimensions(bytes(payload)) == (40_000, 50_000)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "JPEG", "WEBP"])
def test_a_cut_file_is_refused_or_has_its_pixels(kind):
    payload = save(kind)
    for length in [*range(0, 200, 7), len(payload) // 2]:
        size = read_dimensions(payload[:length])
        try:
            inspect_container(payload[:length])
        except ValueError:
            continue
        assert size == (HEIGHT, WIDTH)


def test_what_is_no_image_has_none():
    assert read_dimensions(b"") is None
    assert read_dimensions(b"%PDF-1.7") is None
