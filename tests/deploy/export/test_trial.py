import numpy as np
import pytest

from efficientad.deploy.engines.engine import Outputs
from efficientad.deploy.export.trial import measure_accuracy, paint_trial

RNG = np.random.default_rng(0)
NORMALS = RNG.integers(90, 110, (4, 64, 64, 3), dtype=np.uint8)
PHOTOGRAPHS = RNG.integers(0, 256, (3, 80, 80, 3), dtype=np.uint8)


class Judge:
    """Scores an image by its map's largest value."""

    def __init__(self, judge):
        self.judge = judge

    def run(self, images):
        maps = np.stack([self.judge(one.astype(np.float32)) for one in images])
        return Outputs(maps, maps.max(axis=(1, 2)))


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


def test_masks_are_what_a_defect_changed():
    trial = paint_trial(NORMALS, PHOTOGRAPHS)
    assert not trial.masks[:4].any()
    difference = np.abs(trial.images[4:].astype(int) - np.tile(NORMALS, (3, 1, 1, 1))).max(axis=-1)
    np.testing.assert_array_equal(trial.masks[4:], difference >= 8)
    assert trial.masks[4:].any(axis=(1, 2)).mean() > 0.8


def test_a_defect_of_a_large_image_lies_in_a_piece_of_it():
    normals = RNG.integers(90, 110, (2, 300, 700, 3), dtype=np.uint8)
    photographs = RNG.integers(0, 256, (2, 256, 256, 3), dtype=np.uint8)
    trial = paint_trial(normals, photographs)
    places = [np.argwhere(mask) for mask in trial.masks if mask.any()]
    assert len(places) >= 4
    assert all((place.max(axis=0) - place.min(axis=0) < 256).all() for place in places)
    assert len({tuple(place.min(axis=0) // 50) for place in places}) > 1


def test_accuracy_is_that_of_the_engine_s_scores_and_maps():
    trial = paint_trial(NORMALS, PHOTOGRAPHS)
    right = measure_accuracy(Judge(lambda image: np.abs(image - 100).max(axis=-1)), trial, 0.3)
    assert right.image_auroc > 0.9
    assert right.au_pro > 0.5  # chance: 0.15
    blind = measure_accuracy(Judge(lambda image: np.ones(image.shape[:2], np.float32)), trial, 0.3)
    assert blind == pytest.approx((0.5, 0.15))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_not_finite_are_the_worst(bad):
    trial = paint_trial(NORMALS, PHOTOGRAPHS)
    assert measure_accuracy(Judge(lambda image: np.full(image.shape[:2], bad, np.float32)), trial, 0.3) == (0, 0)
