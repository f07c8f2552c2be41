"""Which picture trains, which validates, which tests; the same content never stands in two of them."""

from dataclasses import dataclass

from efficientad.data.samples import GOOD, Sample, Split, hold_out
from efficientad.errors import DataError

SMALLEST_TRAIN, SMALLEST_VALIDATION = 2, 1


@dataclass(frozen=True)
class Splits:
    """`split_of`: the final split of each name; `left_out`: names dropped because they would leak."""

    split_of: dict[str, Split]
    left_out: tuple[str, ...]


def split_samples(samples: list[Sample], digests: dict[str, str], validation_fraction: float, seed: int) -> Splits:
    """Give each sample its final split.

    Validation is the data set's own where it has one, else a seeded fraction of train. A training or
    validation picture whose digest (sha256 of its content) also stands in test is left out, and so is a
    training picture that stands in validation. Copies within one split stay. Section 3.4 of the paper
    (arXiv 2303.14535) sets quantiles on validation pictures; nothing is ever set on the test split.

    Raises DataError for a name given twice, a defective sample outside test, when fewer than 2 training pictures or
    no validation picture would be left, and when there is no test picture.
    """
    _check_samples(samples)
    split_of: dict[str, Split] = {sample.name: sample.split for sample in samples}
    test = {digests[name] for name, split in split_of.items() if split == "test"}
    left_out = {name for name, split in split_of.items() if split != "test" and digests[name] in test}
    train = [name for name, split in split_of.items() if split == "train" and name not in left_out]
    if "validation" not in split_of.values():
        split_of |= dict.fromkeys(hold_out(train, validation_fraction, seed), "validation")
    validation = {digests[name] for name, split in split_of.items() if split == "validation" and name not in left_out}
    left_out |= {name for name in train if split_of[name] == "train" and digests[name] in validation}
    kept: dict[str, Split] = {name: split for name, split in split_of.items() if name not in left_out}
    _check_counts(kept, len(left_out))
    return Splits(kept, tuple(sample.name for sample in samples if sample.name in left_out))


def _check_samples(samples: list[Sample]) -> None:
    names = [sample.name for sample in samples]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"expected unique names, got {twice} twice; correct the data set provider")
    for sample in samples:
        if sample.split != "test" and sample.defect != GOOD:
            raise DataError(
                f"expected only good pictures in {sample.split}, got {sample.name} ({sample.defect}); "
                "move it to the test split"
            )


def _check_counts(split_of: dict[str, Split], left_out: int) -> None:
    counts = list(split_of.values())
    train, validation = counts.count("train"), counts.count("validation")
    if train < SMALLEST_TRAIN or validation < SMALLEST_VALIDATION:
        raise DataError(
            f"expected at least {SMALLEST_TRAIN} training and {SMALLEST_VALIDATION} validation pictures, got "
            f"{train} and {validation} ({left_out} left out as copies); add good pictures or raise "
            "validation_fraction"
        )
    if "test" not in counts:
        raise DataError("expected at least one test picture, got none; put good pictures aside for it, or defects")
