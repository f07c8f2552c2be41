"""What to set in params.yaml for a folder, and what false-alarm rate its good images allow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from efficientad.data.arrays.samples import GOOD
from efficientad.data.checking.findings import Finding
from efficientad.data.checking.layout import Layout
from efficientad.data.checking.measuring import Measured

TRAIN_FRACTION, VALIDATION_FRACTION, IMAGE_SIZE = 0.8, 0.1, 512  # as in params.yaml
CELL_PX = 8  # of the finest memory bank, at the model's size (docs/decisions/0031)
LARGEST_PX = 2048
_SMALL_SHARE = 0.1  # of the marked defects may be smaller than a cell
_HIGHEST_FRACTION = 0.3
_SQUARE = 1.25  # aspect ratio up to which a square distorts little


@dataclass(frozen=True)
class Plan:
    """How many different good parts train, set the threshold and test; an image may be counted once only.

    promise: the lowest false-alarm rate that so many held-out parts can promise (docs/decisions/0025).
    """

    train_fraction: float
    validation_fraction: float
    train: int
    validation: int
    test: int

    @property
    def promise(self) -> float:
        """1 / (n + 1) of n held-out parts."""
        return 1 / (self.validation + 1)


@dataclass(frozen=True)
class Advice:
    """usual: what params.yaml's fractions give. plan: what to set. rate: the false-alarm rate it can promise."""

    usual: Plan
    plan: Plan
    rate: float
    image_size: int | tuple[int, int]
    smallest_defect_px: float | None


def plan_splits(
    parts: int, train_fraction: float, validation_fraction: float, given: tuple[int, int] | None = None
) -> Plan:
    """Share out `parts` good ones as `split_samples` does; `given`: validation and test parts that have their folders.

    >>> plan_splits(240, 0.8, 0.1)
    Plan(train_fraction=0.8, validation_fraction=0.1, train=173, validation=19, test=48)
    """
    validation, test = given or (0, round((1 - train_fraction) * parts))
    pool = parts if given else parts - test
    held_out = validation or min(pool, max(1, round(validation_fraction * pool)))
    return Plan(train_fraction, validation_fraction, pool if validation else pool - held_out, held_out, test)


def choose_plan(parts: int, needed: int, given: tuple[int, int] | None = None) -> Plan:
    """Return the plan nearest to params.yaml's that holds out as many parts as needed, or the most it may."""
    steps = range(round(100 * VALIDATION_FRACTION), round(100 * _HIGHEST_FRACTION) + 1)
    fractions = [TRAIN_FRACTION] if given else [TRAIN_FRACTION, 0.9]
    plans = [plan_splits(parts, train, step / 100, given) for train in fractions for step in steps]
    return next((plan for plan in plans if plan.validation >= needed), plans[-1])


def count_good_needed(needed: int, given: tuple[int, int] | None = None) -> int:
    """Return from how many good parts on params.yaml's fractions hold out as many as needed.

    `given` as in `plan_splits`, without images of validation: their number does not grow with that of the parts.

    >>> count_good_needed(19)
    232
    """
    held_out = [
        plan_splits(parts, TRAIN_FRACTION, VALIDATION_FRACTION, given).validation for parts in range(20 * needed)
    ]
    return next(parts for parts in range(len(held_out)) if min(held_out[parts:]) >= needed)


def choose_rate(plan: Plan, rates: Mapping[float, int]) -> float:
    """Return the lowest of the rates whose needed parts a plan holds out; else what it can promise, rounded up."""
    kept = [rate for rate, needed in rates.items() if plan.validation >= needed]
    return min(kept) if kept else min(0.5, np.ceil(100 * plan.promise).item() / 100)


def choose_image_size(measured: Sequence[Measured]) -> tuple[int | tuple[int, int], float | None]:
    """Return `data.image_size`, and the side in px, at 512 px, of a square as large as the smallest tenth of defects.

    512 px in the shorter side; longer where images are long; larger where defects would be smaller than a cell of the
    finest memory bank, but not beyond the images' own size and 2,048 px. Multiples of 4.
    """
    facts = [entry.facts for entry in measured if entry.facts is not None]
    if not facts:
        return IMAGE_SIZE, None
    height, width = (float(np.median(sides)) for sides in zip(*((f.height, f.width) for f in facts), strict=True))
    shorter = min(height, width)
    shares = [
        entry.mask.share for entry in measured if entry.mask and entry.mask.pixels and entry.sample.defect != GOOD
    ]
    wanted, smallest = float(IMAGE_SIZE), None
    is_long = max(height, width) / shorter > _SQUARE
    area = max(height, width) / shorter if is_long else 1.0  # of the model's image, in squares of its shorter side
    if shares:
        smallest = IMAGE_SIZE * float(np.sqrt(area * np.quantile(shares, _SMALL_SHARE)))
        wanted = max(wanted, min(wanted * CELL_PX / smallest, shorter, LARGEST_PX))
    side = 4 * round(wanted / 4)
    if not is_long:
        return side, smallest
    longer = 4 * round(wanted * max(height, width) / shorter / 4)
    return ((longer, side) if height > width else (side, longer)), smallest


def advise(
    measured: Sequence[Measured], parts: int, layout: Layout, rates: Mapping[float, int], asked: float
) -> tuple[Advice, list[Finding]]:
    """Return what to set for `parts` different good parts, and what to say about it.

    `rates`: false-alarm rates, and how many held-out parts each needs; `asked`, one of them: that of params.yaml.
    """
    given = None
    good = [entry.sample.split for entry in measured if entry.facts and entry.sample.defect == GOOD]
    if any(good):  # folders of the splits
        given = (good.count("validation"), good.count("test"))
        parts -= given[0]
    usual = plan_splits(parts, TRAIN_FRACTION, VALIDATION_FRACTION, given)
    plan = choose_plan(parts, rates[asked], given)
    size, smallest = choose_image_size(measured)
    advice = Advice(usual, plan, choose_rate(plan, {asked: rates[asked]}), size, smallest)
    return advice, [
        *_find_few(parts, advice, rates[asked], asked, given),
        *_find_small(advice),
        *_find_no_test(measured, layout),
    ]


def _find_few(parts: int, advice: Advice, needed: int, asked: float, given: tuple[int, int] | None) -> list[Finding]:
    usual, plan = advice.usual, advice.plan
    if usual.validation >= needed:
        return []
    start = (
        f"{parts} good parts are few: params.yaml's fractions hold {usual.validation} of them out, which can promise a "
        f"false-alarm rate of {usual.promise:.1%} at best, and {asked:.0%} need {needed}"
    )
    if plan.validation >= needed:
        return [Finding("problem", "few_good", f"{start}; set the fractions below")]
    if given and given[0]:  # no share of the others is held out beside them
        wanted = f"put {needed} or more into the folder of validation"
    else:
        wanted = f"take {count_good_needed(needed, given)} or more"
    return [Finding("problem", "few_good", f"{start}; {wanted}, or set the rate below")]


def _find_small(advice: Advice) -> list[Finding]:
    smallest = advice.smallest_defect_px
    if smallest is None or smallest >= CELL_PX:
        return []
    message = (
        f"a tenth of the marked defects are smaller than {smallest:.1f} x {smallest:.1f} px at {IMAGE_SIZE} px, and "
        f"{CELL_PX} px are a cell of the finest memory bank; set the image size below, or mark a region"
    )
    return [Finding("warning", "small_defects", message)]


def _find_no_test(measured: Sequence[Measured], layout: Layout) -> list[Finding]:
    if layout == "mvtec" and not any(entry.sample.split == "test" for entry in measured):
        return [Finding("problem", "no_test", "there is no image in test/; put good images aside for test/good")]
    if any(entry.sample.defect != GOOD for entry in measured):
        return []
    return [Finding("note", "no_defects", "there are no defective images: nothing measures how many defects are found")]
