"""What to set in params.yaml follows from the count of good parts and from the marked defects."""

import pytest
import yaml
from import_closure import ROOT
from measured_images import make, make_good

from efficientad.calibration.threshold.count import check_count, count_needed
from efficientad.data.arrays.samples import Sample
from efficientad.data.checking.advice import (
    IMAGE_SIZE,
    TRAIN_FRACTION,
    VALIDATION_FRACTION,
    advise,
    choose_image_size,
    choose_plan,
    choose_rate,
    count_good_needed,
    plan_splits,
)
from efficientad.data.checking.measuring import MaskFacts
from efficientad.data.datasets.splits import SplitPlan, split_samples
from efficientad.errors import MetricError

NEEDED = count_needed(0.05)


def test_the_fractions_are_those_of_params_yaml():
    data = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))["data"]
    told = (TRAIN_FRACTION, VALIDATION_FRACTION, IMAGE_SIZE)
    assert told == (data["train_fraction"], data["validation_fraction"], data["image_size"])


@pytest.mark.parametrize("parts", [10, 60, 239, 240, 1000])
def test_a_plan_counts_as_the_stage_prepare_splits(parts: int):
    samples = [Sample(f"good/{n}.png", None, "good") for n in range(parts)]
    digests = {sample.name: sample.name for sample in samples}
    splits = list(split_samples(samples, digests, SplitPlan(0.8, 0.1, 0)).split_of.values())
    plan = plan_splits(parts, 0.8, 0.1)
    assert (plan.train, plan.validation, plan.test) == tuple(map(splits.count, ("train", "validation", "test")))


def test_folders_of_the_splits_are_kept():
    plan = plan_splits(200, 0.8, 0.1, (0, 30))
    assert (plan.train, plan.validation, plan.test) == (180, 20, 30)
    plan = plan_splits(200, 0.8, 0.1, (25, 30))
    assert (plan.train, plan.validation, plan.test) == (200, 25, 30)


def test_the_promise_is_what_calibrate_can_keep():
    plan = plan_splits(149, 0.8, 0.1)
    assert plan.validation == 12
    check_count(plan.validation, plan.promise)
    with pytest.raises(MetricError):
        check_count(plan.validation, plan.promise * 0.99)


@pytest.mark.parametrize(("parts", "fractions"), [(300, (0.8, 0.1)), (149, (0.8, 0.16)), (71, (0.9, 0.29))])
def test_as_little_is_changed_as_the_rate_needs(parts, fractions):
    plan = choose_plan(parts, NEEDED)
    assert (plan.train_fraction, plan.validation_fraction) == fractions
    assert plan.validation >= NEEDED


def test_too_few_parts_get_another_rate_and_the_number_that_is_missing():
    advice, findings = advise(make_good(20), 20, "folder", {0.05: NEEDED}, 0.05)
    assert advice.plan.validation == 5
    assert advice.rate == choose_rate(advice.plan, {0.05: NEEDED}) == 0.17
    assert [finding.severity for finding in findings if finding.key == "few_good"] == ["problem"]
    assert "take 232 or more" in findings[0].message
    assert plan_splits(count_good_needed(NEEDED) - 1, 0.8, 0.1).validation < NEEDED


def test_enough_parts_need_no_word():
    advice, findings = advise([*make_good(240), make("dent/0.png")], 240, "folder", {0.05: NEEDED}, 0.05)
    assert findings == []
    assert advice.plan == advice.usual
    assert advice.rate == 0.05


def test_without_defects_or_test_images_it_is_told():
    train = [make(f"train/good/{n}.png", "train") for n in range(5)]
    assert "no_test" in [finding.key for finding in advise(train, 5, "mvtec", {0.5: 1}, 0.5)[1]]
    assert [finding.key for finding in advise(make_good(99), 99, "folder", {0.5: 1}, 0.5)[1]] == ["no_defects"]


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [(900, 900, 512), (225, 225, 512), (1000, 1200, 512), (1000, 2000, (512, 1024)), (3000, 1000, (1536, 512))],
)
def test_the_image_size_keeps_long_shapes(height, width, size):
    assert choose_image_size([make("good/0.png", size=(height, width))])[0] == size


def test_small_defects_ask_for_larger_images():
    """20 px of 2,560 are 4 px of 512, half of a cell."""
    images = [make(f"dent/{n}.png", size=(2560, 2560), mask=MaskFacts(2560, 2560, 400)) for n in range(5)]
    assert choose_image_size(images) == (1024, pytest.approx(4))
    _, findings = advise(images, 300, "folder", {0.05: NEEDED}, 0.05)
    assert [finding.key for finding in findings] == ["small_defects"]
    native = [make(f"dent/{n}.png", size=(600, 600), mask=MaskFacts(600, 600, 4)) for n in range(5)]
    assert choose_image_size(native)[0] == 600
