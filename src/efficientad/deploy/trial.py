"""What a quantised model is chosen by: held-out normal images and the same with synthetic defects, never test images.

Each candidate is run on all of them afresh. Its image AUROC is set against that of the float model on the same images.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from efficientad.deploy.engine import Engine
from efficientad.metrics.image_level import compute_image_metrics
from efficientad.params import VIEW_PX
from efficientad.training.batches import cut_piece
from efficientad.training.defects import paint_defect

_DEFECTS_EACH = 3  # painted copies of each normal image,
_MOST_DEFECTS = 240  # and of all of them
_MOST_BYTES = 2**30  # of all images, large ones being fewer


@dataclass(frozen=True)
class Trial:
    """Images (N, H, W, 3), uint8 RGB, and their labels (N,), 0 normal and 1 with a synthetic defect."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


def paint_trial(normals: NDArray[np.uint8], photographs: NDArray[np.uint8]) -> Trial:
    """Put painted copies beside normal images (n, H, W, 3); photographs (P, S, S, 3) are no smaller than 256 px.

    On a large image the defect lies in a piece as large as the autoencoder's view. The same images give the same trial.
    """
    rng = np.random.default_rng(0)
    height, width = (min(side, VIEW_PX) for side in normals.shape[1:3])
    affordable = max(_MOST_BYTES // normals[0].nbytes - len(normals), len(normals))
    painted = []
    for index in np.arange(min(len(normals) * _DEFECTS_EACH, _MOST_DEFECTS, affordable)) % len(normals):
        photograph = photographs[rng.integers(len(photographs))][:height, :width]
        other = cut_piece(normals[rng.integers(len(normals))], (height, width), rng)
        image = np.array(normals[index])
        piece = cut_piece(image, (height, width), rng)
        piece[...] = paint_defect(piece, photograph, other, rng).image
        painted.append(image)
    labels = np.repeat([0, 1], [len(normals), len(painted)])
    return Trial(np.concatenate([normals, np.stack(painted)]), labels)


def measure_auroc(engine: Engine, trial: Trial) -> float:
    """Return an engine's image AUROC on a trial; scores that are not finite give 0, the worst there is."""
    scores = np.concatenate([engine.run(image[None]).scores for image in trial.images])
    if not np.isfinite(scores).all():
        return 0.0
    return compute_image_metrics(scores, trial.labels)["image_auroc"]
