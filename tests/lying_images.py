"""Images of some kilobytes whose sides are hidden from who does not read them as a decoder does, or claim too much."""

import io
import struct
import zlib
from pathlib import Path

from PIL import Image

SIDE = 30_000  # px: 2.7 GB of RGB


def write_lies(folder: Path) -> dict[Path, str]:
    """Write a file of each kind; return what each is refused for."""
    lies = {
        "bomb.png": (_draw_png(), "has 30000 x 30000 px, more than the bound of 200 megapixels"),
        "bomb.bmp": (_draw_bmp(), "has 30000 x 30000 px, more than the bound of 200 megapixels"),
        "bomb.tif": (_draw_tiff({256: SIDE, 257: SIDE}), "has 30000 x 30000 px, more than the bound of 200 megapixels"),
        "frame.jpg": (_draw_jpeg(), "has 30000 x 30000 px, more than the bound of 200 megapixels"),
        "frame.webp": (_draw_webp(), "is damaged (it does not begin with a chunk of WebP)"),
        "canvas.webp": (_draw_canvas(), "has 16777216 x 16777216 px, more than the bound of 200 megapixels"),
        "twice.tif": (_draw_tiff({}, [(256, SIDE)]), "is damaged (a TIFF tag comes twice)"),
        "tile.tif": (_draw_tiff({322: 16384, 323: 16384}), "is damaged (its tiles are larger than the image)"),
        "samples.tif": (_draw_tiff({277: 60_000}), "holds 60000 samples a pixel"),
        "tags.tif": (_draw_tiff({}, [(30_000 + i, 1) for i in range(33_000)]), "more than the bound of 1000"),
        "values.tif": (_draw_values(), "is damaged (its TIFF tags claim more values than it has bytes)"),
    }  # fmt: skip
    for name, (payload, _) in lies.items():
        (folder / name).write_bytes(payload)
    return {folder / name: reason for name, (_, reason) in lies.items()}


def _draw_png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10**6)))
        + chunk(b"IEND", b"")
    )


def _draw_bmp() -> bytes:
    """Runs of 8 bits, of which the file need not have as many as pixels."""
    header = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 8, 1, 0, 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 2000, 0, 0, 1078) + header + bytes(1024) + bytes(100)


def _draw_jpeg() -> bytes:
    """The large frame's header stands behind a marker without a length, which who skips one does not see."""
    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, "JPEG")
    payload = file.getvalue()
    start = payload.index(b"\xff\xc0")
    frame = bytearray(payload[start : start + 19])
    frame[5:9] = struct.pack(">HH", SIDE, SIDE)
    return payload[:2] + b"\xff\x01" + bytes(frame) + payload[2:]


def _draw_webp() -> bytes:
    """Lossless pixels without the chunk around them."""
    sides = (16383 << 14 | 16383).to_bytes(4, "little")
    body = b"WEBP" + b"\x2f" + sides + bytes(64)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _draw_canvas() -> bytes:
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff" * 6 + bytes(20)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _draw_tiff(changed: dict[int, int], more: list[tuple[int, int]] | None = None) -> bytes:
    tags = {256: 30, 257: 20, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 20, 279: 600} | changed
    entries = [*sorted(tags.items()), *(more or [])]
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + struct.pack("<I", 608) + bytes(600) + struct.pack("<H", len(entries)) + directory + bytes(4)


def _draw_values() -> bytes:
    """60,000 tags, each of which claims 100,000 values at the same place."""
    tags = b"".join(struct.pack("<HHII", number, 4, 100_000, 8) for number in range(1, 60_001))
    return b"II*\0" + struct.pack("<IH", 8, 60_000) + tags + bytes(4)
