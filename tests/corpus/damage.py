"""Images of each format, whole and damaged, as bytes; and what must come of each."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

READ, REFUSED, ANY = "read", "refused", "any"  # any: a flipped pixel that no checksum guards cannot be told
Expected = Literal["read", "refused", "any"]


@dataclass(frozen=True)
class File:
    """A file of the corpus: its bytes, what must come of it, and what the refusal says (a regular expression)."""

    name: str
    payload: bytes
    expected: Expected
    says: str = ""
    pixels: np.ndarray | None = None  # that must be read, where the format keeps them


def draw(seed: int, size: tuple[int, int] = (32, 40)) -> np.ndarray:
    """A part in noise: an image of (height, width, 3)."""
    noise = np.random.default_rng(seed).integers(0, 40, (*size, 3), dtype=np.uint8)
    noise[size[0] // 4 : -size[0] // 4, size[1] // 4 : -size[1] // 4] += 180
    return noise


def encode(pixels: np.ndarray, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


FORMATS: dict[str, tuple[str, str, dict, bool]] = {  # by name: suffix, kind, options, whether pixels are kept
    "png": (".png", "PNG", {}, True),
    "jpeg": (".jpg", "JPEG", {"quality": 95}, False),
    "progressive": (".jpeg", "JPEG", {"quality": 95, "progressive": True}, False),
    "tiff": (".tif", "TIFF", {}, True),
    "tiff_lzw": (".tiff", "TIFF", {"compression": "tiff_lzw"}, True),
    "tiff_deflate": (".TIF", "TIFF", {"compression": "tiff_deflate"}, True),
    "bmp": (".bmp", "BMP", {}, True),
    "webp": (".webp", "WEBP", {"quality": 95}, False),
    "webp_lossless": (".webp", "WEBP", {"lossless": True}, True),
}


def cut(share: float) -> Callable[[bytes], bytes]:
    return lambda payload: payload[: int(share * len(payload))]


def flip(share: float) -> Callable[[bytes], bytes]:
    def change(payload: bytes) -> bytes:
        place = int(share * len(payload))
        return payload[:place] + bytes([payload[place] ^ 0x55]) + payload[place + 1 :]

    return change


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], Expected]] = {
    "emptied": (lambda payload: b"", REFUSED),
    "one_byte": (lambda payload: payload[:1], REFUSED),
    "magic_alone": (lambda payload: payload[:12], REFUSED),
    "cut_at_10": (cut(0.1), REFUSED),
    "cut_at_50": (cut(0.5), REFUSED),
    "cut_at_90": (cut(0.9), REFUSED),
    "without_last_bytes": (lambda payload: payload[:-3], REFUSED),
    "wrong_magic": (flip(0), REFUSED),
    "zeroed": (lambda payload: bytes(len(payload)), REFUSED),
    "second_half_zeroed": (lambda payload: payload[: len(payload) // 2] + bytes(len(payload) // 2), ANY),
    "flipped_at_2": (flip(0.02), ANY),
    "flipped_at_30": (flip(0.3), ANY),
    "flipped_at_60": (flip(0.6), ANY),
    "flipped_at_95": (flip(0.95), ANY),
    "with_a_tail": (lambda payload: payload + b"tail", ANY),
}


def list_damaged() -> list[File]:
    """Return every format whole and in every state of damage."""
    files = []
    for number, (form, (suffix, kind, options, keeps)) in enumerate(FORMATS.items()):
        pixels = draw(1000 + number)
        whole = encode(pixels, kind, **options)
        files.append(File(f"{form}-whole{suffix}", whole, READ, pixels=pixels if keeps else None))
        for name, (change, expected) in DAMAGES.items():
            guarded = form == "png" and name.startswith(("flipped", "second"))  # by checksums
            guarded |= form == "tiff_deflate" and name.startswith(("flipped_at_3", "flipped_at_6"))
            files.append(File(f"{form}-{name}{suffix}", change(whole), REFUSED if guarded else expected))
    return files


def list_wrong_suffixes() -> list[File]:
    """Return files whose suffix tells another format than their content, which decides, or is of no image at all."""
    pixels = draw(7)
    files = [
        File(f"{form}-as{suffix}", encode(pixels, kind, **options), READ, pixels=pixels if keeps else None)
        for form, (_, kind, options, keeps) in FORMATS.items()
        for suffix in (".png", ".jpg", ".bmp")
    ]
    strangers = {
        "gif": encode(pixels, "GIF"), "text": b"not an image\n", "html": b"<html><body>404</body></html>",
        "pdf": b"%PDF-1.4\n%%EOF\n", "zip": b"PK\x05\x06" + bytes(18), "elf": b"\x7fELF" + bytes(60),
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>', "ppm": b"P6\n1 1\n255\nabc",
        "jpeg2000": bytes.fromhex("0000000c6a5020200d0a870a"), "noise": np.random.default_rng(0).bytes(3000),
        "git_lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "icon": b"\0\0\1\0\1\0",
    }  # fmt: skip
    for name, payload in strangers.items():
        files += [File(f"{name}-as{suffix}", payload, REFUSED, "is not a JPEG") for suffix in (".png", ".tif")]
    return files
