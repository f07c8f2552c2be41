"""The accuracy of an engine on held-out normal images and on their copies, under nuisance and with defects."""

from typing import NamedTuple

import numpy as np

from efficientad.data.defects.trial import Trial
from efficientad.deploy.engines.engine import Engine, Outputs, stack_outputs
from efficientad.evaluation.image_level import compute_image_metrics
from efficientad.evaluation.pixel_level import compute_au_pro
from efficientad.pipeline.progress import track


class Accuracy(NamedTuple):
    """Of an engine on a trial; both in [0, 1]."""

    image_auroc: float
    au_pro: float


def run_trial(engine: Engine, trial: Trial) -> Outputs:
    """Run an engine on each image of a trial, one at a time."""
    return stack_outputs([engine.run(image[None]) for image in track(trial.images, "images of the trial")])


def measure_accuracy(outputs: Outputs, trial: Trial, fpr_limit: float) -> Accuracy:
    """Return the accuracy of an engine's outputs on a trial; scores that are not finite give 0, the worst there is.

    Normal images count as they are and under nuisance: of a few dozen alone, one pair in the wrong order weighs a tenth
    of what INT8 may cost.

    `fpr_limit` is that of `compute_au_pro`.
    """
    if not np.isfinite(outputs.scores).all():
        return Accuracy(0.0, 0.0)
    image_auroc = compute_image_metrics(outputs.scores, trial.labels)["image_auroc"]
    return Accuracy(image_auroc, compute_au_pro(outputs.maps, trial.masks, fpr_limit))
