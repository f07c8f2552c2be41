import numpy as np

from efficientad.data.defects.trial import paint_trial

RNG = np.random.default_rng(0)
NORMALS = RNG.integers(90, 110, (4, 64, 64, 3), dtype=np.uint8)
PHOTOGRAPHS = RNG.integers(0, 256, (3, 80, 80, 3), dtype=np.uint8)


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
