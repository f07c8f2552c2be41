"""Write images and maps in the formats of files: PNG and TIFF without loss, JPEG for people to look at."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from efficientad.data.images.bands import swap_channels
from efficientad.errors import DataError
from efficientad.pipeline.writing import write_bytes

_NO_COMPRESSION = 1  # of TIFF


def encode_png(image: NDArray[np.uint8] | NDArray[np.bool_]) -> bytes:
    """Return a PNG of RGB uint8 (H, W, 3), grey uint8 (H, W) or a bool mask (H, W), written as 0/255."""
    pixels = image.astype(np.uint8) * 255 if image.dtype == np.bool_ else image
    is_image = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[-1] == 3)
    if pixels.dtype != np.uint8 or not is_image:
        raise DataError(
            f"expected uint8 (H, W, 3) or (H, W), or bool (H, W), got {image.dtype} {image.shape}; convert it"
        )
    return _encode_bgr(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels)


def spend_on_png(image: NDArray[np.uint8]) -> bytes:
    """Return a PNG of RGB uint8 (H, W, 3) without a copy of it; the image is spoilt."""
    swap_channels(image)
    return _encode_bgr(image)


def _encode_bgr(pixels: NDArray[Any]) -> bytes:
    return bytes(cv2.imencode(".png", pixels)[1])


def encode_tiff(anomaly_map: NDArray[np.float32]) -> bytes:
    """Return a TIFF of a (H, W) map: one channel of 32-bit floats, without compression."""
    return bytes(cv2.imencode(".tiff", anomaly_map, (cv2.IMWRITE_TIFF_COMPRESSION, _NO_COMPRESSION))[1])


def write_png(path: Path, image: NDArray[np.uint8] | NDArray[np.bool_]) -> None:
    """Write `encode_png(image)` to a path, whose folder must exist."""
    write_bytes(path, encode_png(image))


def encode_jpeg(image: NDArray[np.uint8], quality: int = 88) -> bytes:
    """Return a JPEG of RGB uint8 (H, W, 3), for people to look at; `quality` is 1 to 100."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[-1] != 3:
        raise DataError(f"expected RGB uint8 (H, W, 3), got {image.dtype} {image.shape}; convert it")
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
