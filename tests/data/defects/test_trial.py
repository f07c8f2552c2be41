from dataclasses import astuple

import numpy as np
import pytest

from efficientad.data.arrays.prepared import Prepared, PreparedRow
from efficientad.data.defects.trial import Nuisance, paint_held_out, paint_trial

RNG = np.random.default_rng(0)
NORMALS = RNG.integers(90, 110, (4, 64, 64, 3), dtype=np.uint8)
PHOTOGRAPHS = RNG.integers(0, 256, (3, 80, 80, 3), dtype=np.uint8)
PARTS = np.array(["a", "b", "c", "d"])
NUISANCE = Nuisance(0.1, 3 / 64)


def paint():
    return paint_trial(NORMALS, PARTS, PHOTOGRAPHS, NUISANCE)


def test_a_trial_is_the_normal_images_and_copies_of_each():
    trial = paint()
    assert trial.images.shape == (24, 64, 64, 3)
    assert trial.images.dtype == np.uint8
    assert trial.kinds.tolist() == ["good"] * 4 + ["brightness"] * 4 + ["shift"] * 4 + ["defect"] * 12
    assert trial.labels.tolist() == [0] * 12 + [1] * 12
    assert "".join(trial.parts) == "abcd" * 6
    np.testing.assert_array_equal(trial.images[:4], NORMALS)


def test_a_defect_changes_a_part_of_its_normal_image():
    trial = paint()
    for painted, normal in zip(trial.images[12:], np.tile(NORMALS, (3, 1, 1, 1)), strict=True):
        changed = (painted != normal).any(axis=-1).mean()
        assert 0 < changed < 0.6


def test_every_other_image_is_darker_the_rest_brighter_by_the_share():
    trial = paint()
    for index, image in enumerate(trial.images[trial.kinds == "brightness"]):
        factor = 0.9 if index % 2 else 1.1
        assert np.abs(image - factor * NORMALS[index]).max() <= 0.5


def test_each_image_is_shifted_towards_one_corner_after_another():
    trial = paint()
    shifted = trial.images[trial.kinds == "shift"]
    inner = slice(10, -10)
    for image, normal, (down, right) in zip(shifted, NORMALS, [(3, 3), (-3, -3), (3, -3), (-3, 3)], strict=True):
        moved = np.roll(normal, (down, right), axis=(0, 1))
        np.testing.assert_array_equal(image[inner, inner], moved[inner, inner])
        assert image.min() >= 90  # what comes in from outside is the image mirrored, not black


def test_bright_pixels_do_not_wrap_around():
    white = np.full((1, 64, 64, 3), 250, np.uint8)
    trial = paint_trial(white, PARTS[:1], PHOTOGRAPHS, NUISANCE)
    assert (trial.images[trial.kinds == "brightness"] == 255).all()


def test_without_nuisance_the_copies_are_the_images():
    trial = paint_trial(NORMALS, PARTS, PHOTOGRAPHS, Nuisance(0.0, 0.0))
    np.testing.assert_array_equal(trial.images[4:12], np.tile(NORMALS, (2, 1, 1, 1)))


def test_the_same_images_give_the_same_trial():
    for one, other in zip(astuple(paint()), astuple(paint()), strict=True):
        np.testing.assert_array_equal(one, other)


def test_masks_are_what_a_defect_changed():
    trial = paint()
    assert not trial.masks[:12].any()
    difference = np.abs(trial.images[12:].astype(int) - np.tile(NORMALS, (3, 1, 1, 1))).max(axis=-1)
    np.testing.assert_array_equal(trial.masks[12:], difference >= 8)
    assert trial.masks[12:].any(axis=(1, 2)).mean() > 0.8


def test_a_defect_of_a_large_image_lies_in_a_piece_of_it():
    normals = RNG.integers(90, 110, (2, 300, 700, 3), dtype=np.uint8)
    photographs = RNG.integers(0, 256, (2, 256, 256, 3), dtype=np.uint8)
    trial = paint_trial(normals, PARTS[:2], photographs, NUISANCE)
    places = [np.argwhere(mask) for mask in trial.masks if mask.any()]
    assert len(places) >= 4
    assert all((place.max(axis=0) - place.min(axis=0) < 256).all() for place in places)
    assert len({tuple(place.min(axis=0) // 50) for place in places}) > 1


@pytest.mark.parametrize("count", [1, 60, 100])
def test_many_images_do_not_make_many_copies(count):
    normals = np.repeat(NORMALS[:1, :34, :34], count, axis=0)
    trial = paint_trial(normals, np.arange(count).astype(str), PHOTOGRAPHS, NUISANCE)
    counts = [int((trial.kinds == kind).sum()) for kind in ("good", "brightness", "shift", "defect")]
    assert counts == [count, min(count, 60), min(count, 60), min(3 * count, 240)]


def test_held_out_images_alone_make_the_trial_of_a_product_each_by_its_part():
    rows = tuple(
        PreparedRow(name, split, 0, "good", True, name, 64, 64, part)
        for name, split, part in [
            ("a", "train", ""),
            ("b", "validation", "7"),
            ("c", "test", ""),
            ("d", "validation", ""),
        ]
    )
    prepared = Prepared(rows, NORMALS, np.zeros((4, 64, 64), np.bool_), (64, 64), None, (), ())
    trial = paint_held_out(prepared, PHOTOGRAPHS, NUISANCE)
    np.testing.assert_array_equal(trial.images[trial.kinds == "good"], NORMALS[[1, 3]])
    assert trial.parts[:2].tolist() == ["7", "d"]
