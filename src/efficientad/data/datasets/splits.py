"""Which image trains, which validates, which tests; no content and no part stands in two of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from efficientad.data.arrays.samples import GOOD, Sample, Split
from efficientad.data.datasets.groups import hold_out_groups
from efficientad.errors import DataError

SMALLEST_TRAIN, SMALLEST_VALIDATION = 2, 1
_ORDER: dict[Split, int] = {"test": 0, "validation": 1, "train": 2}


@dataclass(frozen=True)
class SplitPlan:
    """How images are shared out where the data set leaves it open.

    train_fraction:      of the good images whose split is None, in (0, 1]; the rest of them tests.
    validation_fraction: of the training images, where the data set has no validation images.
    seed:                of both choices.
    """

    train_fraction: float
    validation_fraction: float
    seed: int


@dataclass(frozen=True)
class Splits:
    """`split_of`: the final split of each name; `left_out`: names dropped because they would leak."""

    split_of: dict[str, Split]
    left_out: tuple[str, ...]


def split_samples(
    samples: list[Sample], digests: Mapping[str, str], plan: SplitPlan, groups: Mapping[str, str] | None = None
) -> Splits:
    """Give each sample its final split.

    `digests`: sha256 of each image's content, by name. `groups`: the part that each image shows, by name (see
    `find_groups`); None: each image shows a part of its own. All images of a part fall into one split: good images of
    a part that has a test image test, too, where their split is open. An image that still shares its content or its
    part with a split that comes later (train < validation < test) is left out; copies within one split stay.
    Section 3.4 of the paper (arXiv 2303.14535) sets quantiles on validation images; nothing is ever set on the test
    split.

    Raises DataError for a name given twice, a defective sample outside test, when fewer than 2 training images or
    no validation image would be left, and when there is no test image.
    """
    _check_samples(samples)
    part_of = {sample.name: sample.name for sample in samples} | dict(groups or {})
    split_of = _split_open(samples, part_of, plan)
    left_out = _find_shared(split_of, digests, part_of, "test")
    train = [name for name, split in split_of.items() if split == "train" and name not in left_out]
    if "validation" not in split_of.values():
        held_out = hold_out_groups({name: part_of[name] for name in train}, plan.validation_fraction, plan.seed)
        split_of |= dict.fromkeys(held_out, "validation")
    kept = {name: split for name, split in split_of.items() if name not in left_out}
    left_out |= _find_shared(kept, digests, part_of, "validation")
    kept = {name: split for name, split in split_of.items() if name not in left_out}
    _check_counts(kept, len(left_out), grouped=groups is not None)
    return Splits(kept, tuple(sample.name for sample in samples if sample.name in left_out))


def _split_open(samples: list[Sample], part_of: Mapping[str, str], plan: SplitPlan) -> dict[str, Split]:
    open_names = [sample.name for sample in samples if sample.split is None]
    test_parts = {part_of[sample.name] for sample in samples if sample.split == "test"}
    open_parts = {name: part_of[name] for name in open_names}
    test = hold_out_groups(open_parts, 1 - plan.train_fraction, plan.seed, test_parts)
    return {sample.name: sample.split or ("test" if sample.name in test else "train") for sample in samples}


def _find_shared(
    split_of: Mapping[str, Split], digests: Mapping[str, str], part_of: Mapping[str, str], split: Split
) -> set[str]:
    """Return the names in splits before `split` whose content or part stands in it, too."""
    there = [name for name, where in split_of.items() if where == split]
    contents, parts = {digests[name] for name in there}, {part_of[name] for name in there}
    before = [name for name, where in split_of.items() if _ORDER[where] > _ORDER[split]]
    return {name for name in before if digests[name] in contents or part_of[name] in parts}


def _check_samples(samples: list[Sample]) -> None:
    names = [sample.name for sample in samples]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"expected unique names, got {twice} twice; correct the data set provider")
    for sample in samples:
        if sample.split != "test" and sample.defect != GOOD:
            raise DataError(
                f"expected only good images in {sample.split}, got {sample.name} ({sample.defect}); "
                "move it to the test split"
            )


def _check_counts(split_of: Mapping[str, Split], left_out: int, grouped: bool) -> None:
    counts = list(split_of.values())
    train, validation = counts.count("train"), counts.count("validation")
    if train < SMALLEST_TRAIN or validation < SMALLEST_VALIDATION:
        hint = "; look whether data.group tells parts apart" if grouped else ""
        raise DataError(
            f"expected at least {SMALLEST_TRAIN} training and {SMALLEST_VALIDATION} validation images, got "
            f"{train} and {validation} ({left_out} left out: their content or part is in a later split); add good "
            f"images or raise validation_fraction{hint}"
        )
    if "test" not in counts:
        raise DataError("expected at least one test image, got none; put good images aside for it, or defects")
