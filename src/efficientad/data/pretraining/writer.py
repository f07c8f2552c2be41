"""Write a source's images as one array on disk."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.prepared import IMAGES, MANIFEST, write_manifest
from efficientad.data.arrays.row_file import replace_array
from efficientad.data.arrays.rows import keep_rows
from efficientad.data.files.decoding import count_workers, hash_pixels
from efficientad.data.files.walk import Finding, write_out
from efficientad.data.images.resizing import resize_image
from efficientad.data.pretraining.base import PretrainingSource
from efficientad.errors import DataError
from efficientad.pipeline.progress import track

_FEWEST = 2


def write_pretraining(source: PretrainingSource, folder: Path, size: int = 512, workers: int = 0) -> list[Finding]:
    """Write `images.npy`, (N, size, size, 3) uint8 RGB, and `manifest.json`; return the images that were left out.

    Images are resized to a square without keeping their aspect ratio, as Algorithm 3 of the paper does
    (arXiv 2303.14535). One that cannot be read, as a CMYK photograph among thousands, is left out. The manifest lists
    each image's name, its photograph and the sha256 of its native pixels, and what was left out if anything was; it is
    written last. `workers`: threads, 0 for one per core, at most eight. Raises DataError when fewer than 2 are left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    count = len(source)

    def decode(index: int) -> tuple[NDArray[np.uint8], str] | DataError:
        try:
            image = source.load(index)
        except DataError as error:
            return error
        return resize_image(image, (size, size)), hash_pixels(image)

    rows, kept, left_out = [], [], []
    shape = (count, size, size, 3)
    with replace_array(folder / IMAGES, np.uint8, shape) as images, ThreadPoolExecutor(count_workers(workers)) as pool:
        decoded = track(pool.map(decode, range(count)), "photographs decoded", count)
        for index, entry in enumerate(decoded):
            if isinstance(entry, DataError):
                left_out.append(Finding(source.name(index), str(entry)))
                continue
            images[index], digest = entry
            kept.append(index)
            rows.append({"name": source.name(index), "photograph": source.photograph(index), "sha256": digest})
    _check_left(count, left_out)
    keep_rows(folder / IMAGES, kept)
    missing = {"left_out": [write_out(one) for one in left_out]} if left_out else {}
    write_manifest(folder / MANIFEST, {"size": size, "rows": rows} | missing)
    return left_out


def _check_left(count: int, left_out: list[Finding]) -> None:
    if count - len(left_out) < _FEWEST:
        raise DataError(
            f"expected {_FEWEST} photographs or more that can be read, got {count - len(left_out)} of {count}; "
            f"the first that cannot: {left_out[0].reason}"
        )
