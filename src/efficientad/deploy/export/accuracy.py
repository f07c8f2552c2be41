"""The accuracy of an engine on a trial: held-out normal images and copies of them with synthetic defects."""

from typing import NamedTuple

import numpy as np

from efficientad.data.defects.trial import Trial
from efficientad.deploy.engines.engine import Engine
from efficientad.evaluation.image_level import compute_image_metrics
from efficientad.evaluation.pixel_level import compute_au_pro


class Accuracy(NamedTuple):
    """Of an engine on a trial; both in [0, 1]."""

    image_auroc: float
    au_pro: float


def measure_accuracy(engine: Engine, trial: Trial, fpr_limit: float) -> Accuracy:
    """Return an engine's accuracy on a trial; scores that are not finite give 0, the worst there is.

    `fpr_limit` is that of `compute_au_pro`.
    """
    outputs = [engine.run(image[None]) for image in trial.images]
    scores = np.concatenate([one.scores for one in outputs])
    if not np.isfinite(scores).all():
        return Accuracy(0.0, 0.0)
    maps = np.concatenate([one.maps for one in outputs])
    auroc = compute_image_metrics(scores, trial.labels)["image_auroc"]
    return Accuracy(auroc, compute_au_pro(maps, trial.masks, fpr_limit))
