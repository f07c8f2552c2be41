"""Write a source's images as one array on disk."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from efficientad.data.arrays.prepared import IMAGES, MANIFEST, write_manifest
from efficientad.data.arrays.pretraining import Pretraining, load_pretraining
from efficientad.data.files.decoding import count_workers, hash_pixels
from efficientad.data.files.images import resize_image
from efficientad.data.pretraining.base import PretrainingSource
from efficientad.pipeline.progress import track


def write_pretraining(source: PretrainingSource, folder: Path, size: int = 512, workers: int = 0) -> Pretraining:
    """Write `images.npy`, (N, size, size, 3) uint8 RGB, and `manifest.json`; return `load_pretraining`.

    Images are resized to a square without keeping their aspect ratio, as Algorithm 3 of the paper does
    (arXiv 2303.14535). The manifest lists each image's name, its photograph and the sha256 of its native
    pixels, and is written last. `workers`: threads, 0 for one per core, at most eight. Errors as the source's `load`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    count = len(source)
    images = open_memmap(folder / IMAGES, mode="w+", dtype=np.uint8, shape=(count, size, size, 3))

    def decode(index: int) -> tuple[NDArray[np.uint8], str]:
        image = source.load(index)
        return resize_image(image, (size, size)), hash_pixels(image)

    rows = []
    with ThreadPoolExecutor(count_workers(workers)) as pool:
        decoded = track(pool.map(decode, range(count)), "photographs decoded", count)
        for index, (image, digest) in enumerate(decoded):
            images[index] = image
            rows.append({"name": source.name(index), "photograph": source.photograph(index), "sha256": digest})
    images.flush()
    del images
    write_manifest(folder / MANIFEST, {"size": size, "rows": rows})
    return load_pretraining(folder)
