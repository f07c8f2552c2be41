"""What can be measured on one image and its mask before any training."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.samples import Sample
from efficientad.data.checking.layout import Contents
from efficientad.data.datasets.similarity import SIDE
from efficientad.data.files.containers import inspect_container
from efficientad.data.files.decoding import count_workers, hash_pixels
from efficientad.data.files.limits import LIMITS, Limits
from efficientad.data.images.planes import smooth_plane
from efficientad.data.images.reading import read_image, read_mask
from efficientad.data.images.resizing import resize_image
from efficientad.errors import DataError
from efficientad.pipeline.progress import track

T = TypeVar("T")

LONGEST_PX = 1024  # a side of the plane on which exposure is measured; larger images are reduced to it
_FINE_PX, _COARSE_PX = 1.0, 8.0  # deviations of the Gaussians between which detail counts as coarse


@dataclass(frozen=True)
class Exposure:
    """Of the grey image: mean level and standard deviation (0..255), and fine detail as a share of coarse detail."""

    brightness: float
    contrast: float
    sharpness: float


@dataclass(frozen=True)
class ImageFacts:
    """An image that can be read. is_grey: channels are equal."""

    height: int
    width: int
    format: str
    bits: int
    is_grey: bool
    exposure: Exposure
    digest: str
    thumbnail: NDArray[np.uint8]  # (128, 128, 1), for near-duplicates

    @property
    def coding(self) -> str:
        """Format, depth and colour in words.

        >>> ImageFacts(1, 1, "png", 8, True, Exposure(0, 0, 0), "", np.zeros((1, 1, 1), np.uint8)).coding
        'PNG 8 bit grey'
        """
        return f"{self.format.upper()} {self.bits} bit {'grey' if self.is_grey else 'colour'}"


@dataclass(frozen=True)
class MaskFacts:
    """The masks of one image, united. pixels: how many are defect; share: of all."""

    height: int
    width: int
    pixels: int

    @property
    def share(self) -> float:
        """Defect pixels over all pixels."""
        return self.pixels / (self.height * self.width)


@dataclass(frozen=True)
class Measured:
    """A sample with its facts, or with the reason for which there are none; likewise its mask."""

    sample: Sample
    facts: ImageFacts | None = None
    error: str = ""
    mask: MaskFacts | None = None
    mask_error: str = ""


def measure_all(contents: Contents, limits: Limits = LIMITS, workers: int = 0) -> list[Measured]:
    """Measure every image and mask of a folder, in the order of its samples; files that fail are told, not raised."""

    def measure(sample: Sample) -> Measured:
        path = contents.root / sample.name
        image, error = _attempt(lambda: measure_image(path, limits))
        error = error.removeprefix(f"cannot read {path}: ").removesuffix("; export it again or remove it")
        masks = [contents.root / mask for mask in contents.masks.get(sample.name, ())]
        if not masks:
            return Measured(sample, image, error)
        return Measured(sample, image, error, *_attempt(lambda: measure_mask(masks, contents.least_level, limits)))

    pool = ThreadPoolExecutor(count_workers(workers))
    try:
        return list(track(pool.map(measure, contents.samples), "images read", len(contents.samples)))
    finally:  # Ctrl-C must not wait for thousands of images
        pool.shutdown(wait=False, cancel_futures=True)


def measure_image(path: Path, limits: Limits = LIMITS) -> ImageFacts:
    """Read an image and measure it; DataError as `read_image`."""
    image = read_image(path, limits)
    container = inspect_container(path.read_bytes())
    height, width = image.shape[:2]
    scale = min(1.0, LONGEST_PX / max(height, width))
    reduced = resize_image(image, (max(1, round(scale * height)), max(1, round(scale * width))))
    thumbnail = resize_image(image, (SIDE, SIDE))
    red, green, blue = (reduced[..., channel] for channel in range(3))
    is_grey = bool(np.array_equal(red, green) and np.array_equal(green, blue))
    grey = np.asarray(
        (red.astype(np.float32) + green + blue) / 3, np.float32
    )  # ten times as fast as the mean along the last axis
    return ImageFacts(
        height, width, container.kind, container.bits,
        is_grey=is_grey,
        exposure=measure_exposure(grey),
        digest=hash_pixels(image),
        thumbnail=thumbnail.mean(axis=-1, keepdims=True).round().astype(np.uint8),
    )  # fmt: skip


def measure_exposure(grey: NDArray[np.float32]) -> Exposure:
    """Return brightness, contrast and sharpness of a plane (H, W) of levels 0..255.

    Sharpness does not depend on exposure and contrast: blur takes fine detail before coarse detail, noise adds to it.
    """
    once = smooth_plane(grey, _FINE_PX)
    fine, coarse = (grey - once).std(), (once - smooth_plane(once, _COARSE_PX)).std()
    return Exposure(float(grey.mean()), float(grey.std()), float(fine / max(float(coarse), 0.1)))


def measure_mask(paths: Sequence[Path], least_level: int, limits: Limits = LIMITS) -> MaskFacts:
    """Read the masks of one image and unite them; DataError as `read_mask`, and where their sizes differ."""
    united = read_mask(paths[0], least_level, limits)
    for path in paths[1:]:
        mask = read_mask(path, least_level, limits)
        if mask.shape != united.shape:
            raise DataError(f"expected masks of one size, got {mask.shape} in {path} beside {united.shape}")
        united |= mask
    return MaskFacts(united.shape[0], united.shape[1], int(np.count_nonzero(united)))


def _attempt(action: Callable[[], T]) -> tuple[T | None, str]:
    """Return the result, or None and what went wrong in one line: a damaged file may fail in any way at all."""
    try:
        return action(), ""
    except Exception as error:
        return None, str(error) if isinstance(error, DataError) else f"{type(error).__name__}: {error}"
