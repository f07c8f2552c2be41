"""Running a detector over arrays of prepared images, a few at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from efficientad.data.prepared import read_row
from efficientad.detector import Detector, RawMaps

BATCH = 4


def choose_device() -> torch.device:
    """Return the GPU where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def iterate_batches(images: NDArray[np.uint8], indices: NDArray[np.intp]) -> Iterator[Tensor]:
    """Yield the rows `indices` of uint8 RGB (N, H, W, 3) as float RGB (B, 3, H, W) in [0, 1]."""
    device = choose_device()
    for first in range(0, len(indices), BATCH):
        rows = np.stack([read_row(images, index) for index in indices[first : first + BATCH]])
        yield torch.from_numpy(rows).to(device).permute(0, 3, 1, 2).float() / 255


def compute_raw_maps(
    detector: Detector, images: NDArray[np.uint8], indices: NDArray[np.intp]
) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """Return the raw student and autoencoder maps (h, w) of the chosen images: 25 kB an image."""
    detector = detector.to(choose_device()).eval()
    batches: list[RawMaps] = []
    with torch.inference_mode():
        for image in iterate_batches(images, indices):
            batches.append(detector.compute_raw_maps(image))
    student = [one for batch in batches for one in batch.student_map[:, 0].cpu().numpy()]
    autoencoder = [one for batch in batches for one in batch.autoencoder_map[:, 0].cpu().numpy()]
    return student, autoencoder


def compute_detections(
    detector: Detector, images: NDArray[np.uint8], indices: NDArray[np.intp], path: Path
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return anomaly maps (n, H, W) and scores (n,) of the chosen images.

    The maps are memory-mapped from the new file `path`: a large test set does not fill the memory.
    """
    detector = detector.to(choose_device()).eval()
    maps = np.lib.format.open_memmap(path, "w+", np.float32, (len(indices), *images.shape[1:3]))
    scores = np.empty(len(indices), dtype=np.float32)
    first = 0
    with torch.inference_mode():
        for image in iterate_batches(images, indices):
            detection = detector(image)
            rows = slice(first, first + len(image))
            maps[rows] = detection.anomaly_map[:, 0].cpu().numpy()
            scores[rows] = detection.anomaly_score.cpu().numpy()
            first += len(image)
    return maps, scores
