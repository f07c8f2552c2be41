"""Open the array of pretraining images that `writer` left on disk."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.prepared import IMAGES, MANIFEST, load_array, read_manifest
from efficientad.errors import DataError
from efficientad.pipeline.parsing import show


@dataclass(frozen=True)
class Pretraining:
    """`images` (N, size, size, 3) uint8 RGB, memory-mapped; `photographs` (N,) says what each was cut from."""

    images: NDArray[np.uint8]
    photographs: tuple[str, ...]


def load_pretraining(folder: Path) -> Pretraining:
    """Open what `write_pretraining` wrote; the images stay on disk until they are read.

    Raises DataError when a file is missing or array and manifest do not fit together.
    """
    manifest, images = read_manifest(folder / MANIFEST), load_array(folder / IMAGES)
    size, rows = manifest.get("size"), manifest.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "photograph" in row for row in rows):
        raise DataError(f"expected rows with a photograph in {folder / MANIFEST}, found others; run its stage again")
    count = len(rows)
    if images.shape != (count, size, size, 3) or images.dtype != np.uint8:
        raise DataError(
            f"expected uint8 {show((count, size, size, 3))} in {folder}, got {images.dtype} {images.shape}; "
            "run its stage again"
        )
    return Pretraining(images, tuple(str(row["photograph"]) for row in rows))
