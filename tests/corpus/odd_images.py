"""Images of unusual kinds: depths, colours, orientations, several frames, and headers that promise too much."""

import io
import struct
import zlib

import numpy as np
from damage import ANY, READ, REFUSED, File, draw, encode
from PIL import Image


def list_odd() -> list[File]:
    """Return all of them."""
    return [*_list_depths(), *_list_colours(), *_list_frames(), *_list_orientations(), *_list_sizes(), *_list_bombs()]


def _save(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _list_depths() -> list[File]:
    grey = draw(20)[..., 0]
    full = (grey.astype(np.uint16) * 257).astype(np.uint16)
    three = np.repeat(grey[..., None], 3, axis=-1)
    bits = np.repeat((grey > 100)[..., None], 3, axis=-1) * np.uint8(255)
    files = []
    for suffix, kind in ((".png", "PNG"), (".tif", "TIFF")):
        files += [
            File(f"grey16{suffix}", encode(full, kind), READ, pixels=three),
            File(f"twelve_bits{suffix}", encode(full // 17, kind), REFUSED, "span 0..65535"),
            File(f"dark16{suffix}", encode(np.zeros_like(full), kind), REFUSED, "span 0..65535"),
            File(f"bilevel{suffix}", _save(Image.fromarray(grey > 100), kind), READ, pixels=bits),
        ]
    floats = grey.astype(np.float32)
    nans = np.full_like(floats, np.nan)
    files += [File("float32.tif", encode(floats, "TIFF"), REFUSED, "float samples")]
    files += [File("float_nan.tif", encode(nans, "TIFF"), REFUSED, "float samples")]
    files += [File("int32.tif", encode(grey.astype(np.int32) * 9000, "TIFF"), REFUSED)]
    return files


def _list_colours() -> list[File]:
    pixels = draw(21)
    grey = pixels[..., 0]
    three, opaque = np.repeat(grey[..., None], 3, axis=-1), np.full((*grey.shape, 1), 255, np.uint8)
    clear = opaque.copy()
    clear[3, 3] = 254
    cmyk = Image.fromarray(pixels).convert("CMYK")
    palette = Image.fromarray(pixels).quantize(16)
    shown = np.asarray(palette.convert("RGB"))
    files = [
        File("cmyk.jpg", _save(cmyk, "JPEG"), REFUSED, "CMYK"),
        File("cmyk.tif", _save(cmyk, "TIFF"), REFUSED, "CMYK"),
        File("lab.tif", _save(Image.new("LAB", (40, 32), (99, 1, 1)), "TIFF"), ANY),
        File("ycbcr.tif", _save(Image.fromarray(pixels).convert("YCbCr"), "TIFF"), ANY),
        File("icc.png", encode(pixels, "PNG", icc_profile=b"x" * 300), READ, pixels=pixels),
        File("grey.jpg", encode(grey, "JPEG"), READ),
        File("transparent_colour.png", _save(Image.fromarray(grey), "PNG", transparency=int(grey[0, 0])), REFUSED),
    ]
    for suffix, kind in ((".png", "PNG"), (".tif", "TIFF"), (".bmp", "BMP")):
        files += [
            File(f"grey{suffix}", encode(grey, kind), READ, pixels=three),
            File(f"palette{suffix}", _save(palette, kind), READ, pixels=shown),
        ]
    for suffix, kind, options in ((".png", "PNG", {}), (".tif", "TIFF", {}), (".webp", "WEBP", {"lossless": True})):
        for name, alpha, expected in (("opaque", opaque, READ), ("transparent", clear, REFUSED)):
            both = np.concatenate([pixels, alpha], axis=-1)
            says = "some are transparent" if expected == REFUSED else ""
            read = pixels if expected == READ else None
            files.append(File(f"{name}{suffix}", encode(both, kind, **options), expected, says, read))
    return files


def _list_frames() -> list[File]:
    first, second = Image.fromarray(draw(22)), Image.fromarray(draw(23))
    kinds = ((".png", "PNG", "animated"), (".webp", "WEBP", "animated"), (".tif", "TIFF", "several pages"))
    return [
        File(f"frames{suffix}", _save(first, kind, save_all=True, append_images=[second]), REFUSED, says)
        for suffix, kind, says in kinds
    ]


def _list_orientations() -> list[File]:
    """Return what a camera writes that was held in each of the eight ways: all eight show the same upright image."""
    pixels = draw(24)
    stored = {
        1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1], 5: pixels.swapaxes(0, 1),
        6: pixels.swapaxes(0, 1)[::-1], 7: pixels.swapaxes(0, 1)[::-1, ::-1], 8: pixels.swapaxes(0, 1)[:, ::-1],
    }  # fmt: skip
    files = []
    for turn, array in stored.items():
        exif = Image.Exif()
        exif[274] = turn
        image = Image.fromarray(np.ascontiguousarray(array))
        files.append(File(f"exif{turn}.jpg", _save(image, "JPEG", quality=100, subsampling=0, exif=exif), READ))
    exif = Image.Exif()
    exif[274] = 99
    files.append(File("exif99.jpg", _save(Image.fromarray(pixels), "JPEG", exif=exif), READ))
    return files


def _list_sizes() -> list[File]:
    return [
        File(f"{height}x{width}.png", encode(draw(25, (height, width)), "PNG"), READ, pixels=draw(25, (height, width)))
        for height, width in ((1, 1), (1, 700), (700, 1), (3, 5), (64, 64), (65, 63))
    ]


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def _png(width: int, height: int, payload: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", payload), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _tiff(entries: list[tuple[int, int, int, int]], tail: bytes = b"") -> bytes:
    """A TIFF of these tags: number, type, count, value or place."""
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + struct.pack("<I", 0) + tail


def _list_bombs() -> list[File]:
    jpeg = bytearray(encode(draw(26), "JPEG"))
    place = jpeg.index(b"\xff\xc0") + 5
    jpeg[place : place + 4] = struct.pack(">HH", 65500, 65500)
    bmp = bytearray(encode(draw(27), "BMP"))
    bmp[18:26] = struct.pack("<ii", 2**31 - 1, 2**31 - 1)
    lowest = bytearray(encode(draw(27), "BMP"))
    lowest[18:26] = struct.pack("<ii", -(2**31), -(2**31))
    webp = bytearray(encode(draw(28), "WEBP", lossless=True))
    webp[21:25] = (0x3FFF | 0x3FFF << 14 | int.from_bytes(webp[21:25], "little") & 0xF0000000).to_bytes(4, "little")
    rows = zlib.compress(bytes(3 * 30_000 + 1) * 60, 9)
    sides = [(256, 4, 1, 100_000), (257, 4, 1, 100_000), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 4)]
    small = [(256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8),
             (279, 4, 1, 64)]  # fmt: skip
    return [
        File("bomb.png", _png(30_000, 30_000, rows), REFUSED, "more than the bound"),
        File("largest.png", _png(2**31 - 1, 2**31 - 1, rows), REFUSED, "more than the bound"),
        File("no_width.png", _png(0, 9, rows), REFUSED),
        File("short_rows.png", _png(40, 32, zlib.compress(b"x")), REFUSED),
        File("no_zlib.png", _png(40, 32, b"not zlib"), REFUSED),
        File("bomb.jpg", bytes(jpeg), REFUSED, "more than the bound"),
        File("bomb.bmp", bytes(bmp), REFUSED),
        File("lowest.bmp", bytes(lowest), REFUSED),
        File("bomb.webp", bytes(webp), REFUSED),
        File("bomb.tif", _tiff(sides), REFUSED, "more than the bound"),
        File("many_values.tif", _tiff([*small, (700, 1, 2**31, 8)]), REFUSED, "claim more values"),
        File("most_values.tif", _tiff([*small, *[(700 + n, 4, 2**32 - 1, 8) for n in range(300)]]), REFUSED),
        File("no_tags.tif", _tiff([]), REFUSED, "no width or height"),
        File("loop.tif", b"II*\0" + struct.pack("<I", 4), REFUSED),
        File("far.tif", b"II*\0" + struct.pack("<I", 2**32 - 1), REFUSED),
        File(
            "strip_beyond.tif", _tiff([*small[:5], (273, 4, 1, 2**31), (279, 4, 1, 2**31)]), REFUSED, "beyond its end"
        ),
        File("endless_markers.jpg", b"\xff\xd8" + b"\xff\xe0\0\2" * 50_000, REFUSED),
        File("zero_segments.jpg", b"\xff\xd8" + b"\xff\xe0\0\0" * 50_000, REFUSED),
        File("length_of_4gb.webp", b"RIFF\xff\xff\xff\xffWEBPVP8X" + bytes(40), REFUSED),
    ]
