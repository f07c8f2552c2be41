import numpy as np
import pytest

from efficientad.data.defects.trial import Nuisance, paint_trial
from efficientad.deploy.engines.engine import Outputs
from efficientad.deploy.export.int8.accuracy import measure_accuracy, run_trial

RNG = np.random.default_rng(0)
NORMALS = RNG.integers(90, 110, (4, 64, 64, 3), dtype=np.uint8)
PARTS = np.array(list("abcd"))
PHOTOGRAPHS = RNG.integers(0, 256, (3, 80, 80, 3), dtype=np.uint8)


class Judge:
    """Scores an image by its map's largest value."""

    def __init__(self, judge):
        self.judge = judge

    def run(self, images):
        maps = np.stack([self.judge(one.astype(np.float32)) for one in images])
        return Outputs(maps, maps.max(axis=(1, 2)))


def measure(judge, trial):
    return measure_accuracy(run_trial(Judge(judge), trial), trial, 0.3)


def test_accuracy_is_that_of_the_engine_s_scores_and_maps():
    trial = paint_trial(NORMALS, PARTS, PHOTOGRAPHS, Nuisance(0.0, 0.0))
    right = measure(lambda image: np.abs(image - 100).max(axis=-1), trial)
    assert right.image_auroc > 0.9
    assert right.au_pro > 0.5  # chance: 0.15
    assert measure(lambda image: np.ones(image.shape[:2], np.float32), trial) == pytest.approx((0.5, 0.15))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_not_finite_are_the_worst(bad):
    trial = paint_trial(NORMALS, PARTS, PHOTOGRAPHS, Nuisance(0.0, 0.0))
    assert measure(lambda image: np.full(image.shape[:2], bad, np.float32), trial) == (0, 0)


def test_normal_images_under_nuisance_count_as_normal_ones():
    trial = paint_trial(NORMALS, PARTS, PHOTOGRAPHS, Nuisance(0.5, 0.1))
    assert {"brightness", "shift"} <= set(trial.kinds)
    scores = np.where(trial.kinds == "brightness", 2.0, trial.labels).astype(np.float32)
    outputs = Outputs(np.zeros(trial.masks.shape, np.float32), scores)
    brighter = (trial.kinds == "brightness").sum() / (trial.labels == 0).sum()
    assert measure_accuracy(outputs, trial, 0.3).image_auroc == pytest.approx(1 - brighter)
