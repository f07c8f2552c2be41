"""What the bytes of an image file promise, read without decoding them.

An image decoder fills the missing part of a cut file with grey and says nothing that a program can see.
So the container is walked first: is the file whole, is it one still image, how deep are its samples, how many pixels?
Formats: JPEG (ITU T.81), PNG (W3C PNG, third edition), TIFF 6.0, BMP and WebP (RFC 9649). The content
decides, not the suffix.
"""

import re
import struct
import zlib

from efficientad.data.files.container import Container
from efficientad.data.files.tiff import inspect_tiff

_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd7]")  # those that a length follows, and the end
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_BMP_CORE = b"\x0c\0\0\0"  # length of OS/2's older header, whose sides are shorter numbers


def inspect_container(payload: bytes) -> Container:
    """Walk a file's bytes and say what it holds.

    Raises ValueError with a reason that reads after "the file": unknown format, cut short, damaged,
    several images in one file, CMYK colours or float samples.
    """
    if payload.startswith(b"\xff\xd8"):
        return _inspect_jpeg(payload)
    if payload.startswith(b"\x89PNG\r\n\x1a\n"):
        return _inspect_png(payload)
    if payload[:4] in (b"II*\x00", b"MM\x00*"):
        return inspect_tiff(payload)
    if payload.startswith(b"BM"):
        return _inspect_bmp(payload)
    if payload.startswith(b"RIFF") and payload[8:12] == b"WEBP":
        return _inspect_webp(payload)
    reason = "is empty" if not payload else "is not a JPEG, PNG, TIFF, BMP or WebP image"
    raise ValueError(reason)


def _inspect_jpeg(payload: bytes) -> Container:
    """Walk the segments and scans up to the end-of-image marker; what follows it is ignored."""
    position, components, height, width = 2, 0, 0, 0
    while (match := _JPEG_MARKER.search(payload, position)) is not None:
        marker, position = payload[match.end() - 1], match.end()
        if marker == 0xD9:
            if components == 4:
                raise ValueError("holds CMYK colours, whose look depends on a printer: convert it to RGB")
            return Container("jpeg", 8, False, height, width)
        if position + 2 > len(payload):
            break
        if marker in _JPEG_FRAMES and position + 8 <= len(payload):
            *sides, components = struct.unpack_from(">HHB", payload, position + 3)
            height, width = max((height, width), sides, key=lambda pair: pair[0] * pair[1])
        position += int.from_bytes(payload[position : position + 2], "big")
    raise ValueError("is cut short (no JPEG end-of-image marker)")


def _inspect_png(payload: bytes) -> Container:
    """Walk the chunks, each with its checksum, up to IEND."""
    position, alpha = 8, payload[25:26] in (b"\x04", b"\x06")
    while position + 12 <= len(payload):
        length = int.from_bytes(payload[position : position + 4], "big")
        kind, end = payload[position + 4 : position + 8], position + 12 + length
        if end > len(payload):
            break
        if zlib.crc32(payload[position + 4 : end - 4]) != int.from_bytes(payload[end - 4 : end], "big"):
            raise ValueError("is damaged (a PNG chunk does not have its checksum)")
        if kind == b"acTL":
            raise ValueError("is animated: save the one frame that is meant")
        if kind == b"tRNS" and payload[25] == 0:  # OpenCV drops the transparency of grey images
            raise ValueError("names a transparent grey: flatten it first")
        alpha = alpha or kind == b"tRNS"
        if kind == b"IEND":
            if payload[12:16] != b"IHDR":
                raise ValueError("is damaged (it does not begin with a PNG header)")
            width, height = struct.unpack_from(">II", payload, 16)
            return Container("png", payload[24], alpha, height, width)
        position = end
    raise ValueError("is cut short (no PNG end chunk)")


def _inspect_bmp(payload: bytes) -> Container:
    """Compare the length with that of the pixels which the header announces."""
    if len(payload) < 34:
        raise ValueError("is cut short (its BMP header is not whole)")
    start, _, width, height, _, bits, compression = struct.unpack_from("<IIiiHHI", payload, 10)
    needed = start + (width * bits + 31) // 32 * 4 * abs(height)
    if compression in (0, 3) and needed > len(payload):
        raise ValueError(f"is cut short ({len(payload)} of {needed} bytes)")
    if payload[14:18] == _BMP_CORE:
        width, height = struct.unpack_from("<HH", payload, 18)
    return Container("bmp", 8, bits == 32, abs(height), abs(width))


def _inspect_webp(payload: bytes) -> Container:
    """Compare the length with that of the RIFF header and look for the animation flag."""
    needed = int.from_bytes(payload[4:8], "little") + 8
    if len(payload) < max(needed, 30):
        raise ValueError(f"is cut short ({len(payload)} of {needed} bytes)")
    if payload[12:16] == b"VP8X" and payload[20] & 0x02:
        raise ValueError("is animated: save the one frame that is meant")
    return Container("webp", 8, True, *_measure_webp(payload))


def _measure_webp(payload: bytes) -> tuple[int, int]:
    """Return height and width out of the first chunk: extended, lossless or lossy."""
    if payload[12:16] == b"VP8X":
        width, height = (int.from_bytes(payload[start : start + 3], "little") + 1 for start in (24, 27))
    elif payload[12:16] == b"VP8L":
        sides = int.from_bytes(payload[21:25], "little")
        width, height = (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
    elif payload[12:16] == b"VP8 ":
        width, height = (int.from_bytes(payload[start : start + 2], "little") & 0x3FFF for start in (26, 28))
    else:  # a decoder may take pixels without a chunk around them, whose sides stand elsewhere
        raise ValueError("is damaged (it does not begin with a chunk of WebP)")
    return height, width
