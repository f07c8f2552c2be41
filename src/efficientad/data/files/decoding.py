"""What all who decode many images share: the number of threads, and a name of the pixels."""

import hashlib
import os

import numpy as np
from numpy.typing import NDArray


def hash_pixels(image: NDArray[np.uint8]) -> str:
    """Return the sha256 of a decoded image, shape included, so that a re-encoded copy is recognised."""
    shape = "x".join(str(length) for length in image.shape)
    return hashlib.sha256(f"{shape}:".encode() + np.ascontiguousarray(image).tobytes()).hexdigest()


def count_workers(workers: int) -> int:
    """Return the number of threads: as asked, or for 0 one per core, at most eight."""
    return workers if workers > 0 else min(8, os.cpu_count() or 1)
