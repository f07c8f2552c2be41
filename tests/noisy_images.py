"""Images that are judged, and of which libpng and libtiff would say something on their own."""

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from efficientad.data.images.encoding import encode_png

_HEADER_BYTES = 33  # of a PNG: its signature and IHDR


def write_noisy(folder: Path, name: str, pixels: NDArray[np.uint8]) -> list[Path]:
    """Write `name`.png with a colour profile that is none and `name`.tif with a tag that nobody knows."""
    png, tif = folder / f"{name}.png", folder / f"{name}.tif"
    content, profile = encode_png(pixels), b"iCCPx\0\0abc"
    chunk = struct.pack(">I", len(profile) - 4) + profile + struct.pack(">I", zlib.crc32(profile))
    png.write_bytes(content[:_HEADER_BYTES] + chunk + content[_HEADER_BYTES:])
    Image.fromarray(pixels).save(tif, tiffinfo={40000: 7})
    return [png, tif]
