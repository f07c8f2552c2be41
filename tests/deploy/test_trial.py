import numpy as np
import pytest

from efficientad.deploy.engine import Outputs
from efficientad.deploy.trial import Trial, measure_auroc, paint_trial

RNG = np.random.default_rng(0)
NORMALS = RNG.integers(90, 110, (4, 64, 64, 3), dtype=np.uint8)
PHOTOGRAPHS = RNG.integers(0, 256, (3, 80, 80, 3), dtype=np.uint8)


class Judge:
    """Scores an image by `score`."""

    def __init__(self, score):
        self.score = score

    def run(self, images):
        return Outputs(np.zeros(images.shape[:3], np.float32), np.array([self.score(one) for one in images]))


def test_a_trial_is_the_normal_images_and_painted_copies_of_each():
    trial = paint_trial(NORMALS, PHOTOGRAPHS)
    assert trial.images.shape == (16, 64, 64, 3)
    assert trial.images.dtype == np.uint8
    assert trial.labels.tolist() == [0] * 4 + [1] * 12
    np.testing.assert_array_equal(trial.images[:4], NORMALS)
    for painted, normal in zip(trial.images[4:], np.tile(NORMALS, (3, 1, 1, 1)), strict=True):
        changed = (painted != normal).any(axis=-1).mean()
        assert 0 < changed < 0.6


def test_the_same_images_give_the_same_trial():
    np.testing.assert_array_equal(paint_trial(NORMALS, PHOTOGRAPHS).images, paint_trial(NORMALS, PHOTOGRAPHS).images)


def test_auroc_is_that_of_the_engine_s_scores():
    trial = paint_trial(NORMALS, PHOTOGRAPHS)
    assert measure_auroc(Judge(lambda image: np.abs(image.astype(float) - 100).max()), trial) > 0.9
    assert measure_auroc(Judge(lambda image: 1.0), trial) == 0.5


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_not_finite_are_the_worst(bad):
    trial = Trial(NORMALS, np.array([0, 0, 1, 1]))
    assert measure_auroc(Judge(lambda image: bad if image is not None else 0), trial) == 0
