"""How many pixels an image file announces, read without decoding them: a small file may hold a huge image.

JPEG (ITU T.81), PNG (W3C PNG, third edition), TIFF 6.0, BMP and WebP (RFC 9649).
"""

import re
import struct
from typing import Literal

_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_SHORT, _TIFF_LONG = 256, 257, 3, 4


def read_dimensions(payload: bytes) -> tuple[int, int] | None:
    """Return height and width in px as the file's header has them, before an EXIF orientation; None if it has none.

    Of several frames of a JPEG the largest counts. That a file is whole, and an image, is `inspect_container`'s matter.

    >>> read_dimensions(b"BM" + bytes(16) + struct.pack("<ii", 640, -480))
    (480, 640)
    """
    try:
        if payload.startswith(b"\xff\xd8"):
            return _read_jpeg(payload)
        if payload.startswith(b"\x89PNG\r\n\x1a\n"):
            return _order(*struct.unpack_from(">II", payload, 16))
        if payload[:4] in (b"II*\x00", b"MM\x00*"):
            return _read_tiff(payload)
        if payload.startswith(b"BM"):
            return _order(*struct.unpack_from("<ii", payload, 18))
        if payload.startswith(b"RIFF") and payload[8:12] == b"WEBP":
            return _read_webp(payload)
    except struct.error:  # the file is cut short
        return None
    return None


def _order(width: int, height: int) -> tuple[int, int]:
    return abs(height), abs(width)


def _read_jpeg(payload: bytes) -> tuple[int, int] | None:
    sizes: list[tuple[int, int]] = []
    position = 2
    while (match := _JPEG_MARKER.search(payload, position)) is not None:
        position = match.end()
        if payload[position - 1] in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", payload, position + 3)
            sizes.append((height, width))
        position += int.from_bytes(payload[position : position + 2], "big")
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def _read_tiff(payload: bytes) -> tuple[int, int] | None:
    order: Literal["<", ">"] = "<" if payload.startswith(b"II") else ">"
    (start,) = struct.unpack_from(order + "I", payload, 4)
    (count,) = struct.unpack_from(order + "H", payload, start)
    values: dict[int, int] = {}
    for index in range(count):
        entry = start + 2 + 12 * index
        tag, kind = struct.unpack_from(order + "HH", payload, entry)
        if kind in (_TIFF_SHORT, _TIFF_LONG):
            (values[tag],) = struct.unpack_from(order + ("H" if kind == _TIFF_SHORT else "I"), payload, entry + 8)
    if _TIFF_WIDTH in values and _TIFF_HEIGHT in values:
        return values[_TIFF_HEIGHT], values[_TIFF_WIDTH]
    return None


def _read_webp(payload: bytes) -> tuple[int, int] | None:
    kind = payload[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(payload[place : place + 3], "little") + 1 for place in (24, 27))
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", payload, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", payload, 26))
    else:
        return None
    return height, width
