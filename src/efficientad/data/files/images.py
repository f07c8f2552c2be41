"""Read, resize and write images: RGB uint8 everywhere; the only file that imports OpenCV.

`resize_image` is the one definition of "the image at the model's size": preparation, evaluation and the
inspection station all call it, so that training and production see the same pixels.
"""

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
from efficientad.data.files.regions import find_lost, sum_cells
from efficientad.errors import DataError
from efficientad.pipeline.writing import write_bytes

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
MASK_SUFFIXES = frozenset({".png", ".bmp", ".tif", ".tiff"})
_MARKED_SHARE = 0.5  # of a region's highest value
_TWELVE_BITS = 4095  # the brightest value of a 12-bit camera
_DARK_SHARE = 1000  # of so many pixels one may be brighter
_BAND = 256  # rows
_NO_COMPRESSION = 1  # of TIFF


def list_images(folder: Path) -> list[Path]:
    """Return every image below a folder (recursive, by suffix), sorted by posix path.

    Hidden files and what lies in hidden folders are skipped. Raises DataError when the folder is missing.
    """
    if not folder.is_dir():
        raise DataError(f"expected a folder of images at {folder}, found none; check the path")
    relative = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    visible = (path for path in relative if not any(part.startswith(".") for part in path.parts))
    return [folder / path for path in sorted(visible, key=Path.as_posix) if (folder / path).is_file()]


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


def resize_image(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bring (H, W, 3) uint8 to `size`, height and width; the aspect ratio is not kept, as in the paper.

    Where no axis is enlarged: the mean over each output pixel's area (cv2.INTER_AREA), which does not alias.
    Otherwise, that is when at least one axis is enlarged: bilinear, pixel centres aligned
    (cv2.INTER_LINEAR). A image that has the size already is returned as a copy. The same input gives the
    same bytes on every call.
    """
    if image.shape[:2] == size:
        return image.copy()
    height, width = size
    method = cv2.INTER_AREA if image.shape[0] >= height and image.shape[1] >= width else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), np.uint8)


def resize_mask(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Bring a (H, W) mask to `size`, height and width: a pixel is defect when at least half of its area is.

    Of a region (its pixels touch, at corners, too) of which nothing would be left, any coverage counts, beside larger
    ones as well: no region is ever lost. Coverage is summed in whole numbers, so no rounding decides.
    """
    resized = np.asarray(2 * sum_cells(mask, size) >= mask.size, np.bool_)
    count, regions = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    lost = find_lost(regions, count, resized)
    return np.asarray(resized | (sum_cells(lost, size) > 0), np.bool_) if lost.any() else resized


def resize_map(anomaly_map: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Bring a map (h, w) to (height, width), bilinear: for showing it, never for scoring."""
    return np.asarray(cv2.resize(anomaly_map, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def resize_bands(
    anomaly_map: NDArray[np.float32], height: int, width: int
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Yield `resize_map` of finite values, up to rounding, band by band with its rows.

    The whole of a camera's image takes 80 MB.
    """
    wide = resize_map(anomaly_map, len(anomaly_map), width)
    centres = (np.arange(height) + 0.5) * (len(wide) / height) - 0.5
    places = np.clip(centres, 0, len(wide) - 1)
    tops = places.astype(np.intp)
    bottoms = np.minimum(tops + 1, len(wide) - 1)
    shares = (places - tops).astype(np.float32)[:, None]
    for band in cut_bands(height):
        upper, lower = wide[tops[band]], wide[bottoms[band]]
        yield band, upper + (lower - upper) * shares[band]


def smooth_plane(plane: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """Return a plane (H, W) convolved with a Gaussian, mirrored at the borders."""
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT), np.float32)


def correlate_block(block: NDArray[np.float32], area: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the correlation in [-1, 1] of a block (h, w) with each place in an area (H, W): (H - h + 1, W - w + 1).

    Means are subtracted and norms divided out place by place; a block or place without contrast gives 0.
    """
    if np.ptp(block) == 0:  # for which OpenCV gives 1
        return np.zeros((area.shape[0] - block.shape[0] + 1, area.shape[1] - block.shape[1] + 1), np.float32)
    return np.asarray(cv2.matchTemplate(area, block, cv2.TM_CCOEFF_NORMED), np.float32)


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
    _swap_channels(image)
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


def colour_map(map01: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colour a (H, W) map in [0, 1] (values outside are clipped): (H, W, 3) RGB uint8, Turbo palette."""
    levels = np.round(np.clip(map01, 0.0, 1.0) * 255.0).astype(np.uint8)
    bgr = cv2.applyColorMap(levels, cv2.COLORMAP_TURBO)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def mark_defects(anomaly_map: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    """Return the pixels (H, W) that an anomaly map (H, W) marks as defective.

    A connected region of pixels above the threshold is a defect, and of it those pixels are marked whose value is half
    of its highest or more: around a clear defect the map falls slowly, and stays above the threshold far outside
    (docs/decisions/0033). Every region keeps its highest pixel, so there are marks where the map exceeds the threshold.
    Two defects that are joined above the threshold are one region: a weak one may lose its marks to a clear one.

    >>> mark_defects(np.array([[0.1, 0.6, 2.0, 0.9, 0.1, 0.6]], np.float32), 0.5).astype(int).tolist()
    [[0, 0, 1, 0, 0, 1]]
    """
    return mark_resized(anomaly_map, threshold, (anomaly_map.shape[0], anomaly_map.shape[1]))


def mark_resized(anomaly_map: NDArray[np.float32], threshold: float, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return what `mark_defects` marks of a map (h, w) brought to `size`, height and width, in 10 bytes a pixel."""
    if not (anomaly_map > threshold).any():  # most images, and bilinear resizing raises no value
        return np.zeros(size, np.bool_)
    marked: NDArray[np.bool_] = resize_map(anomaly_map, *size) > threshold  # of a camera's image the map takes 80 MB
    count, regions = cv2.connectedComponents(marked.view(np.uint8), connectivity=8)
    resized = resize_map(anomaly_map, *size)  # again: meanwhile it would take memory
    highest = np.full(count, -np.inf, resized.dtype)
    for band in cut_bands(size[0]):
        above = marked[band]
        np.maximum.at(highest, regions[band][above], resized[band][above])
    least = np.minimum(highest, highest * _MARKED_SHARE)
    for band in cut_bands(size[0]):
        marked[band] &= resized[band] >= least[regions[band]]
    return marked


def cut_bands(rows: int) -> Iterator[slice]:
    """Return bands of an image's rows: what is made of one takes little memory."""
    return (slice(first, first + _BAND) for first in range(0, rows, _BAND))


def connect_pixels(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Number a mask's (H, W) connected regions, pixels that touch at a corner among them.

    Returns the number at each pixel (H, W), 0 outside of the mask, and x, y, width, height and area in px of each
    region (N, 5): row i is region i + 1.
    """
    _, numbers, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return np.asarray(numbers, np.int32), np.asarray(boxes[1:], np.int32)


def outline(
    image: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    colour: tuple[int, int, int] = (255, 0, 0),
    thickness: int = 1,
) -> NDArray[np.uint8]:
    """Return a copy of an RGB image (H, W, 3) with the borders of a (H, W) mask's regions and holes drawn.

    `colour` is RGB, `thickness` in px. Raises DataError when image and mask differ in size.
    """
    outlined = image.copy()
    draw_outline(outlined, mask, colour, thickness)
    return outlined


def draw_outline(
    image: NDArray[np.uint8], mask: NDArray[np.bool_], colour: tuple[int, int, int], thickness: int
) -> None:
    """Do as `outline` in the image itself."""
    if image.shape[:2] != mask.shape:
        raise DataError(f"expected a mask of size {image.shape[:2]}, got {mask.shape}; resize one of them")
    contours, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(image, contours, -1, colour, thickness)


def blend_images(first: NDArray[np.uint8], second: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Return (1 - share) x first + share x second, rounded; both are uint8 of one shape."""
    return np.asarray(cv2.addWeighted(first, 1.0 - share, second, share, 0.0), np.uint8)


def _decode_image(payload: bytes, container: Container, name: object) -> NDArray[np.uint8]:
    if container.alpha:
        _check_opaque(payload, name)
    pixels = _as_uint8(_decode(payload, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH, name), name)
    _swap_channels(pixels)
    return pixels


def _swap_channels(image: NDArray[np.uint8]) -> None:
    """Turn BGR into RGB, or back, where it lies: of a camera's image a copy would take 60 MB."""
    for band in cut_bands(len(image)):
        cv2.cvtColor(image[band], cv2.COLOR_BGR2RGB, dst=image[band])


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
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise DataError(f"expected 8 or 16 bits per sample in {name}, got {pixels.dtype}; convert it to 8 bits")
    return pixels.astype(np.uint8, copy=False)


def _check_depth(pixels: NDArray[Any], name: object) -> None:
    """Refuse what a 12-bit camera gives when nobody scaled it; a few hot pixels do not make it brighter."""
    count = pixels.shape[0] * pixels.shape[1]
    bright = np.count_nonzero((pixels > _TWELVE_BITS).any(axis=-1))
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
