"""Verdicts by hand."""

import numpy as np
import pytest
from tiny_page import GOOD, SCRATCH, STAIN

from efficientad.reporting.page.verdicts import Counts, count_verdicts, list_kinds


def test_counts_by_hand(sources):
    assert count_verdicts(sources.images) == Counts(passed=19, false_alarms=1, found=9, missed=1)


def test_kinds_by_hand_the_one_with_misses_first(sources):
    scratch, stain = list_kinds(sources.images)
    assert (scratch.name, scratch.images, scratch.found, scratch.missed) == ("scratch", SCRATCH, SCRATCH - 1, 1)
    assert (stain.name, stain.images, stain.found, stain.missed) == ("stain <&>", STAIN, STAIN, 0)
    assert stain.auroc == 1.0
    assert stain.outline_iou is None


def test_a_kinds_auroc_is_the_share_of_pairs_in_order(sources):
    scratch = list_kinds(sources.images)[0]
    good = np.array([image.score for image in sources.images if not image.is_anomalous])
    scores = np.array([image.score for image in sources.images if image.defect == "scratch"])
    assert scratch.auroc == pytest.approx((scores[:, None] > good).mean())


def test_the_kinds_together_give_the_metrics_of_the_stage(sources):
    metrics = sources.stages.evaluate["metrics"]
    kinds = list_kinds(sources.images)
    mean = sum(kind.auroc * kind.images for kind in kinds) / sum(kind.images for kind in kinds)
    assert mean == pytest.approx(metrics["image_auroc"], abs=1e-6)
    assert kinds[0].outline_iou == pytest.approx(metrics["outline_iou"], abs=1e-6)


def test_only_defects(sources):
    defects = [image for image in sources.images if image.is_anomalous]
    assert list_kinds(defects)[0].auroc is None
    assert count_verdicts(defects).good == 0
    assert len(sources.images) - len(defects) == GOOD
