"""Running a detector over arrays of prepared images, a few at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from efficientad.data.arrays.rows import Rows, read_row
from efficientad.model.detector import Detector
from efficientad.model.device import choose_device
from efficientad.pipeline.progress import Progress

BATCH = 4
_LARGE_PX = 512  # a side from which on an image is a batch of its own


def iterate_batches(images: NDArray[np.uint8], indices: NDArray[np.intp], label: str = "images") -> Iterator[Tensor]:
    """Yield the rows `indices` of uint8 RGB (N, H, W, 3) as float RGB (B, 3, H, W) in [0, 1].

    On the terminal stands how far they are, behind `label`.
    """
    device = choose_device()
    batch = BATCH if max(images.shape[1:3]) < _LARGE_PX else 1
    with Progress(label, len(indices)) as progress:
        for first in range(0, len(indices), batch):
            rows = np.stack([read_row(images, index) for index in indices[first : first + batch]])
            yield torch.from_numpy(rows).to(device).permute(0, 3, 1, 2).float() / 255
            progress.show(first + len(rows))


def compute_raw_maps(
    detector: Detector,
    images: NDArray[np.uint8],
    indices: NDArray[np.intp],
    owners: Sequence[NDArray[np.intp]] | None = None,
) -> list[list[NDArray[np.float32]]]:
    """Return the raw maps (h, w) of each of the detector's branches, each of the chosen images.

    owners: of each memory bank, the row that each patch comes from; an image is then not compared with its own patches.
    """
    device = choose_device()
    detector = detector.to(device).eval()
    branches: list[list[NDArray[np.float32]]] = [[] for _ in detector.list_branches()]
    first = 0
    with torch.inference_mode():
        for image in iterate_batches(images, indices, "maps of images"):
            rows = indices[first : first + len(image), None]
            first += len(image)
            own = None if owners is None else [torch.from_numpy(rows == rows_of).to(device) for rows_of in owners]
            for maps, batch in zip(branches, detector.compute_raw_maps(image, own), strict=True):
                maps += list(batch[:, 0].cpu().numpy())
    return branches


def compute_scores(detector: Detector, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the scores (n,) of images (n, H, W, 3), uint8 RGB."""
    detector = detector.to(choose_device()).eval()
    with torch.inference_mode():
        batches = iterate_batches(images, np.arange(len(images)), "judging images")
        scores = [detector(batch).anomaly_score.cpu().numpy() for batch in batches]
    return np.concatenate(scores)


def compute_detections(
    detector: Detector, images: NDArray[np.uint8], indices: NDArray[np.intp], path: Path
) -> tuple[Rows, NDArray[np.float32]]:
    """Return anomaly maps (n, H, W) and scores (n,) of the chosen images.

    The maps lie in the new file `path` and are read one at a time: a large test set does not fill the memory.
    """
    detector = detector.to(choose_device()).eval()
    shape = (len(indices), *images.shape[1:3])
    scores = np.empty(len(indices), dtype=np.float32)
    first = 0
    with torch.inference_mode(), path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        for image in iterate_batches(images, indices, "judging images"):
            detection = detector(image)
            file.write(detection.anomaly_map[:, 0].cpu().numpy().astype("<f4").tobytes())
            scores[first : first + len(image)] = detection.anomaly_score.cpu().numpy()
            first += len(image)
    return Rows(np.load(path, mmap_mode="r")), scores
