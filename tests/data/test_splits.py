"""No picture, under whatever name, stands in two splits."""

import pytest

from efficientad.data.samples import Sample
from efficientad.data.splits import split_samples
from efficientad.errors import DataError


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
    splits = split_samples(samples, _digests(samples), 0.1, seed=0)
    assert len(_names(splits, "validation")) == 2
    assert len(_names(splits, "train")) == 18
    assert _names(splits, "test") == {"test/0", "test/1", "test/2"}
    assert splits.left_out == ()
    assert splits == split_samples(samples, _digests(samples), 0.1, seed=0)
    assert any(splits != split_samples(samples, _digests(samples), 0.1, seed=s) for s in (1, 2, 3))


def test_the_data_sets_own_validation_is_kept_as_it_is():
    samples = _samples(train=10, validation=3)
    splits = split_samples(samples, _digests(samples), 0.5, seed=0)
    assert _names(splits, "validation") == {"validation/0", "validation/1", "validation/2"}
    assert len(_names(splits, "train")) == 10


def test_copies_of_test_pictures_leave_train_and_validation():
    samples = _samples(train=10, validation=3)
    digests = _digests(samples, train__4="test/1", validation__0="test/2")
    splits = split_samples(samples, digests, 0.1, seed=0)
    assert splits.left_out == ("train/4", "validation/0")
    assert "test/1" in splits.split_of


def test_copies_of_validation_pictures_leave_train():
    samples = _samples(train=10, validation=3)
    splits = split_samples(samples, _digests(samples, train__4="validation/1"), 0.1, seed=0)
    assert splits.left_out == ("train/4",)
    assert "validation/1" in splits.split_of


@pytest.mark.parametrize("seed", range(10))
def test_a_split_made_here_separates_copies_too(seed: int):
    """Ten pairs of equal pictures in train: no pair may end up on both sides."""
    samples = _samples(train=20)
    digests = {s.name: f"pair {i % 10}" if s.split == "train" else s.name for i, s in enumerate(samples)}
    splits = split_samples(samples, digests, 0.2, seed)
    sides = {side: {digests[name] for name in _names(splits, side)} for side in ("train", "validation", "test")}
    assert sides["validation"]
    assert not sides["train"] & sides["validation"]
    assert not sides["train"] & sides["test"]
    assert set(splits.split_of) | set(splits.left_out) == {s.name for s in samples}


def test_copies_within_one_split_stay():
    samples = _samples(train=4, validation=1)
    splits = split_samples(samples, _digests(samples, train__1="train/0", test__1="test/0"), 0.1, seed=0)
    assert splits.left_out == ()


def test_too_few_pictures_are_refused_with_the_counts():
    samples = _samples(train=2)
    with pytest.raises(DataError, match="got 1 and 1"):
        split_samples(samples, _digests(samples), 0.5, seed=0)
    samples = _samples(train=5)
    with pytest.raises(DataError, match="got 5 and 0"):
        split_samples(samples, _digests(samples), 0.0, seed=0)
    samples = _samples(train=5, test=0)
    with pytest.raises(DataError, match="expected at least one test picture"):
        split_samples(samples, _digests(samples), 0.2, seed=0)


def test_broken_lists_are_refused():
    samples = [*_samples(train=5), Sample("train/x", "train", "crack")]
    with pytest.raises(DataError, match=r"train/x \(crack\)"):
        split_samples(samples, _digests(samples), 0.2, seed=0)
    samples = _samples(train=5) * 2
    with pytest.raises(DataError, match="train/0 twice"):
        split_samples(samples, _digests(samples), 0.2, seed=0)
