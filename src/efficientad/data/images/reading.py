"""Read images and masks: RGB uint8 everywhere, bounded before anything is decoded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from efficientad.data.files.budget import PixelBudget
from efficientad.data.files.container import Container
from efficientad.data.files.containers import inspect_container
from efficientad.data.files.limits import LIMITS, Limits
from efficientad.data.files.listing import MASK_SUFFIXES
from efficientad.data.images.bands import cut_bands, swap_channels
from efficientad.errors import DataError

_TWELVE_BITS = 4095  # the brightest value of a 12-bit camera
_DARK_SHARE = 1000  # of so many pixels one may be brighter


def read_image(path: Path, limits: Limits = LIMITS) -> NDArray[np.uint8]:
    """Return a file's image, see `decode_image`; DataError naming the path, also where there is no such file."""
    return decode_image(_read_bytes(path, limits), path, limits)


def decode_image(payload: bytes, name: object, limits: Limits = LIMITS) -> NDArray[np.uint8]:
    """Return the image of a file's bytes as (H, W, 3) RGB, uint8, 0..255, with its EXIF orientation applied.

    Grey becomes three equal channels and palettes are expanded. 16-bit samples span 0..65535 and are
    divided by 257 with rounding, never by the image's own maximum. Opaque alpha is dropped.

    Raises DataError naming `name` when the bytes are empty, cut short, damaged, of another format or sample type
    (float, CMYK), animated or multi-page, or beyond `limits`, which is found before anything is decoded; when some
    pixel is transparent; and when of 16-bit samples 99.9 % do not exceed 4095.
    """
    return _decode_image(payload, _inspect(payload, name, limits), name)


@contextmanager
def hold_image(path: Path, limits: Limits, budget: PixelBudget) -> Iterator[NDArray[np.uint8]]:
    """Hand out a file's image as `read_image`, and hold its pixels' share of the budget as long as it is in use."""
    payload, container = _read_file(path, limits)
    with budget.take(container.height * container.width):
        image = _decode_image(payload, container, path)
        del payload
        yield image


def read_mask(path: Path, at_least: int = 1, limits: Limits = LIMITS) -> NDArray[np.bool_]:
    """Return a defect mask as (H, W) bool: defect where any colour channel reaches `at_least`.

    `at_least` is a level of the file's own samples, 1..255 or 1..65535; 1 means any non-zero value. Masks
    with anti-aliased borders ask for 128, half of a pixel's area, as `resize_mask` does.

    Raises DataError as `read_image`, though of any depth, and for formats whose compression smears edges (JPEG, WebP).
    """
    if path.suffix.lower() not in MASK_SUFFIXES:
        expected = ", ".join(sorted(MASK_SUFFIXES))
        raise DataError(f"expected a mask of type {expected}, got {path}; save it without loss")
    payload, container = _read_file(path, limits)
    if container.alpha:
        _check_opaque(payload, path)
    pixels = _decode(payload, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH, path)
    return np.asarray((pixels >= at_least).any(axis=-1), np.bool_)


def _decode_image(payload: bytes, container: Container, name: object) -> NDArray[np.uint8]:
    if container.alpha:
        _check_opaque(payload, name)
    pixels = _as_uint8(_decode(payload, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH, name), name)
    swap_channels(pixels)
    return pixels


def _read_file(path: Path, limits: Limits) -> tuple[bytes, Container]:
    payload = _read_bytes(path, limits)
    return payload, _inspect(payload, path, limits)


def _read_bytes(path: Path, limits: Limits) -> bytes:
    try:
        limits.check_bytes(path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"expected an image at {path}, could not open it ({error}); check it") from error
    except ValueError as error:
        raise DataError(f"cannot read {path}: the file {error}; export it again or remove it") from error


def _inspect(payload: bytes, name: object, limits: Limits) -> Container:
    try:
        container = inspect_container(payload)
        limits.check_pixels(container.height, container.width)
        return container
    except ValueError as error:
        raise DataError(f"cannot read {name}: the file {error}; export it again or remove it") from error


def _decode(payload: bytes, flags: int, name: object) -> NDArray[Any]:
    """Decode to BGR(A) or grey; bytes are handed over so that paths may hold any character on Windows."""
    try:
        pixels: NDArray[Any] | None = cv2.imdecode(np.frombuffer(payload, np.uint8), flags)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:  # no fault of the file
            raise MemoryError(f"{name}: {error.err}") from error
        raise DataError(f"cannot read {name}: {error.err}; export it again or remove it") from error
    if pixels is None:
        raise DataError(f"cannot read {name}: its content is damaged or unknown; export it again as PNG")
    return pixels


def _as_uint8(pixels: NDArray[Any], name: object) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint16:
        _check_depth(pixels, name)
        narrow = np.empty(pixels.shape, np.uint8)
        for band in cut_bands(len(pixels)):  # of a whole camera's image the sums would take 240 MB
            narrow[band] = (pixels[band].astype(np.uint32) + 128) // 257
        return narrow
    if pixels.dtype != np.uint8:
        raise DataError(f"expected 8 or 16 bits per sample in {name}, got {pixels.dtype}; convert it to 8 bits")
    return pixels.astype(np.uint8, copy=False)


def _check_depth(pixels: NDArray[Any], name: object) -> None:
    """Refuse what a 12-bit camera gives when nobody scaled it; a few hot pixels do not make it brighter."""
    count = pixels.shape[0] * pixels.shape[1]
    bright = sum(np.count_nonzero((pixels[band] > _TWELVE_BITS).any(axis=-1)) for band in cut_bands(len(pixels)))
    if bright <= max(1, count // _DARK_SHARE):
        raise DataError(
            f"expected 16-bit samples to span 0..65535 in {name}, got {bright} of {count} pixels above {_TWELVE_BITS}: "
            "the camera gives 10 or 12 bits, or there was no light; multiply by 64 or 16 when saving, so that white is "
            "65535, or save 8 bits"
        )


def _check_opaque(payload: bytes, name: object) -> None:
    pixels = _decode(payload, cv2.IMREAD_UNCHANGED, name)
    if pixels.ndim == 3 and pixels.shape[-1] == 4:
        alpha = pixels[..., 3]
        if np.issubdtype(alpha.dtype, np.integer) and (alpha != np.iinfo(alpha.dtype).max).any():
            raise DataError(f"expected opaque pixels in {name}, some are transparent; flatten it first")
