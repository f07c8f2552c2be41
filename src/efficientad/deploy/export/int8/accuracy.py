"""The accuracy of an engine on held-out normal images and on copies of them with synthetic defects."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from efficientad.data.defects.trial import Trial
from efficientad.deploy.engines.engine import Engine, Outputs, stack_outputs
from efficientad.evaluation.image_level import compute_image_metrics
from efficientad.evaluation.pixel_level import compute_au_pro
from efficientad.pipeline.progress import track


class Accuracy(NamedTuple):
    """Of an engine on a trial; both in [0, 1]."""

    image_auroc: float
    au_pro: float


def find_compared(trial: Trial) -> NDArray[np.intp]:
    """Return the rows of a trial that accuracy is measured on: normal images as they are, and with defects.

    Those under nuisance are for the threshold.
    """
    return np.flatnonzero(np.isin(trial.kinds, ("good", "defect")))


def select_images(trial: Trial, rows: NDArray[np.intp]) -> Trial:
    """Return a trial of some rows of another."""
    return Trial(trial.images[rows], trial.kinds[rows], trial.parts[rows], trial.masks[rows])


def run_trial(engine: Engine, trial: Trial) -> Outputs:
    """Run an engine on each image of a trial, one at a time."""
    return stack_outputs([engine.run(image[None]) for image in track(trial.images, "images of the trial")])


def measure_accuracy(outputs: Outputs, trial: Trial, fpr_limit: float) -> Accuracy:
    """Return the accuracy of an engine's outputs on a trial; scores that are not finite give 0, the worst there is.

    `fpr_limit` is that of `compute_au_pro`.
    """
    if not np.isfinite(outputs.scores).all():
        return Accuracy(0.0, 0.0)
    image_auroc = compute_image_metrics(outputs.scores, trial.labels)["image_auroc"]
    return Accuracy(image_auroc, compute_au_pro(outputs.maps, trial.masks, fpr_limit))
