"""No image, under whatever name, stands in two splits."""

import numpy as np
import pytest

from efficientad.data.arrays.samples import Sample
from efficientad.data.datasets.splits import SplitPlan, split_samples
from efficientad.errors import DataError

SPLITS = ("train", "validation", "test")


def _samples(train: int, validation: int = 0, test: int = 3) -> list[Sample]:
    return (
        [Sample(f"train/{n}", "train", "good") for n in range(train)]
        + [Sample(f"validation/{n}", "validation", "good") for n in range(validation)]
        + [Sample(f"test/{n}", "test", "good" if n % 2 else "crack") for n in range(test)]
    )


def _digests(samples: list[Sample], **copies: str) -> dict[str, str]:
    """A digest of its own for each name, except for `copies`: name (with __ for /) to name."""
    return {s.name: copies.get(s.name.replace("/", "__"), s.name) for s in samples}


def _names(splits, split: str) -> set[str]:
    return {name for name, where in splits.split_of.items() if where == split}


def test_a_seeded_fraction_of_train_validates():
    samples = _samples(train=20)
    splits = split_samples(samples, _digests(samples), SplitPlan(0.8, 0.1, seed=0))
    assert len(_names(splits, "validation")) == 2
    assert len(_names(splits, "train")) == 18
    assert _names(splits, "test") == {"test/0", "test/1", "test/2"}
    assert splits.left_out == ()
    assert splits == split_samples(samples, _digests(samples), SplitPlan(0.8, 0.1, seed=0))
    assert any(splits != split_samples(samples, _digests(samples), SplitPlan(0.8, 0.1, seed=s)) for s in (1, 2, 3))


def test_the_data_sets_own_validation_is_kept_as_it_is():
    samples = _samples(train=10, validation=3)
    splits = split_samples(samples, _digests(samples), SplitPlan(0.8, 0.5, seed=0))
    assert _names(splits, "validation") == {"validation/0", "validation/1", "validation/2"}
    assert len(_names(splits, "train")) == 10


def test_copies_of_test_images_leave_train_and_validation():
    samples = _samples(train=10, validation=3)
    digests = _digests(samples, train__4="test/1", validation__0="test/2")
    splits = split_samples(samples, digests, SplitPlan(0.8, 0.1, seed=0))
    assert splits.left_out == ("train/4", "validation/0")
    assert "test/1" in splits.split_of


def test_copies_of_validation_images_leave_train():
    samples = _samples(train=10, validation=3)
    splits = split_samples(samples, _digests(samples, train__4="validation/1"), SplitPlan(0.8, 0.1, seed=0))
    assert splits.left_out == ("train/4",)
    assert "validation/1" in splits.split_of


@pytest.mark.parametrize("seed", range(10))
def test_a_split_made_here_separates_copies_too(seed: int):
    """Ten pairs of equal images in train: no pair may end up on both sides."""
    samples = _samples(train=20)
    digests = {s.name: f"pair {i % 10}" if s.split == "train" else s.name for i, s in enumerate(samples)}
    splits = split_samples(samples, digests, SplitPlan(0.8, 0.2, seed))
    sides = {side: {digests[name] for name in _names(splits, side)} for side in ("train", "validation", "test")}
    assert sides["validation"]
    assert not sides["train"] & sides["validation"]
    assert not sides["train"] & sides["test"]
    assert set(splits.split_of) | set(splits.left_out) == {s.name for s in samples}


@pytest.mark.parametrize("seed", range(5))
def test_copies_that_are_left_out_have_no_part_in_the_draw(seed: int):
    """Half of the training images are copies of test images: the fraction is of the rest, and drawn among them."""
    samples = _samples(train=40)
    copies = {f"train__{n}": "test/1" for n in range(0, 40, 2)}
    splits = split_samples(samples, _digests(samples, **copies), SplitPlan(0.8, 0.25, seed))
    rest = sorted(f"train/{n}" for n in range(1, 40, 2))
    assert _names(splits, "validation") == {rest[i] for i in np.random.default_rng(seed).permutation(20)[:5]}
    assert _names(splits, "train") == set(rest) - _names(splits, "validation")


def test_copies_within_one_split_stay():
    samples = _samples(train=4, validation=1)
    splits = split_samples(
        samples, _digests(samples, train__1="train/0", test__1="test/0"), SplitPlan(0.8, 0.1, seed=0)
    )
    assert splits.left_out == ()


def test_too_few_images_are_refused_with_the_counts():
    samples = _samples(train=2)
    with pytest.raises(DataError, match="got 1 and 1"):
        split_samples(samples, _digests(samples), SplitPlan(0.8, 0.5, seed=0))
    samples = _samples(train=5)
    with pytest.raises(DataError, match="got 5 and 0"):
        split_samples(samples, _digests(samples), SplitPlan(0.8, 0.0, seed=0))
    samples = _samples(train=5, test=0)
    with pytest.raises(DataError, match="expected at least one test image"):
        split_samples(samples, _digests(samples), SplitPlan(0.8, 0.2, seed=0))


def test_broken_lists_are_refused():
    samples = [*_samples(train=5), Sample("train/x", "train", "crack")]
    with pytest.raises(DataError, match=r"train/x \(crack\)"):
        split_samples(samples, _digests(samples), SplitPlan(0.8, 0.2, seed=0))
    samples = _samples(train=5) * 2
    with pytest.raises(DataError, match="train/0 twice"):
        split_samples(samples, _digests(samples), SplitPlan(0.8, 0.2, seed=0))


def _open_samples(good: int, defective: int = 0) -> list[Sample]:
    """What a folder of good images and a folder of dents give: the split of the good ones is open."""
    return [Sample(f"good/{n:03d}.png", None, "good") for n in range(good)] + [
        Sample(f"dent/{n:03d}.png", "test", "dent") for n in range(defective)
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [10, 57, 240])
def test_without_groups_the_choice_is_by_image_as_it_always_was(count: int, seed: int):
    """The rule written out: a permutation of the sorted names, its first ones test, and again for validation."""
    samples = _open_samples(count, defective=2)
    names = sorted(sample.name for sample in samples if sample.split is None)
    test = {names[i] for i in np.random.default_rng(seed).permutation(count)[: round((1 - 0.8) * count)]}
    rest = sorted(set(names) - test)
    validation = {rest[i] for i in np.random.default_rng(seed).permutation(len(rest))[: round(0.1 * len(rest))]}
    splits = split_samples(samples, _digests(samples), SplitPlan(0.8, 0.1, seed))
    assert _names(splits, "test") == test | {"dent/000.png", "dent/001.png"}
    assert _names(splits, "validation") == validation
    assert _names(splits, "train") == set(rest) - validation


def _find_parts(splits, groups: dict[str, str], split: str) -> set[str]:
    return {groups[name] for name in _names(splits, split)}


@pytest.mark.parametrize("seed", range(10))
def test_no_part_stands_in_two_splits(seed: int):
    """180 images of 30 parts: each part falls into one split, and the fractions are of images."""
    samples = _open_samples(180, defective=3)
    groups = {sample.name: f"part {n % 30}" for n, sample in enumerate(samples[:180])}
    splits = split_samples(samples, _digests(samples), SplitPlan(0.8, 0.1, seed), groups)
    parts = [_find_parts(splits, groups | {s.name: s.name for s in samples[180:]}, s) for s in SPLITS]
    assert all(parts)
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]
    assert splits.left_out == ()
    assert [len(_names(splits, s)) for s in SPLITS] == [132, 12, 36 + 3]


def test_good_images_of_a_part_with_a_defect_test():
    samples = _open_samples(40, defective=2)
    groups = {sample.name: f"part {n % 10}" for n, sample in enumerate(samples[:40])}
    groups |= {"dent/000.png": "part 3", "dent/001.png": "part 4"}
    for seed in range(5):
        splits = split_samples(samples, _digests(samples), SplitPlan(0.8, 0.1, seed), groups)
        assert _find_parts(splits, groups, "test") == {"part 3", "part 4"}  # 8 of 40 images: the fraction is reached


def test_a_data_sets_own_split_loses_training_images_of_test_parts():
    samples = _samples(train=10, validation=3)
    groups = {s.name: s.name for s in samples} | {"train/4": "x", "test/1": "x", "validation/0": "y", "test/2": "y"}
    groups |= {"train/5": "z", "validation/1": "z"}
    splits = split_samples(samples, _digests(samples), SplitPlan(0.8, 0.1, seed=0), groups)
    assert splits.left_out == ("train/4", "train/5", "validation/0")


def test_one_part_alone_is_refused_and_told_why():
    samples = _open_samples(20, defective=2)
    groups = {s.name: "good" for s in samples[:20]}
    with pytest.raises(DataError, match=r"got 20 and 0.*whether data\.group tells parts apart"):
        split_samples(samples, _digests(samples), SplitPlan(0.8, 0.1, seed=0), groups)
