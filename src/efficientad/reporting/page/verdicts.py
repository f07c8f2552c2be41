"""The verdicts on the test images, counted in all and by kind of defect."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from efficientad.evaluation.image_level import compute_image_metrics
from efficientad.reporting.page.sources import JudgedImage


@dataclass(frozen=True)
class Counts:
    """How many test images there are of each kind of verdict."""

    passed: int
    false_alarms: int
    found: int
    missed: int

    @property
    def good(self) -> int:
        """All images of good parts."""
        return self.passed + self.false_alarms

    @property
    def defective(self) -> int:
        """All images of defects."""
        return self.found + self.missed


@dataclass(frozen=True)
class DefectKind:
    """A kind of defect. auroc: against all good test images. outline_iou: mean of the annotated images. In [0, 1]."""

    name: str
    images: int
    found: int
    auroc: float | None
    outline_iou: float | None

    @property
    def missed(self) -> int:
        """How many of the images raise no alarm."""
        return self.images - self.found


def count_verdicts(images: Sequence[JudgedImage]) -> Counts:
    """Count the verdicts on test images."""
    pairs = [(image.is_anomalous, image.is_alarm) for image in images]
    return Counts(*(pairs.count(pair) for pair in ((False, False), (False, True), (True, True), (True, False))))


def list_kinds(images: Sequence[JudgedImage]) -> list[DefectKind]:
    """Return a row for each kind of defect, the one with the largest share of misses first, then by name."""
    good = [image.score for image in images if not image.is_anomalous]
    names = sorted({image.defect for image in images if image.is_anomalous})
    kinds = [describe_kind(name, [i for i in images if i.is_anomalous and i.defect == name], good) for name in names]
    return sorted(kinds, key=lambda kind: -kind.missed / kind.images)


def describe_kind(name: str, images: Sequence[JudgedImage], good: Sequence[float]) -> DefectKind:
    """Count and measure the images of one kind of defect; `good`: the scores of good images."""
    auroc = None
    if good:
        scores = np.array([*good, *(image.score for image in images)])
        auroc = compute_image_metrics(scores, np.repeat([0, 1], [len(good), len(images)]))["image_auroc"]
    ious = [image.outline_iou for image in images if not np.isnan(image.outline_iou)]
    found = sum(image.is_alarm for image in images)
    return DefectKind(name or "defect", len(images), found, auroc, float(np.mean(ious)) if ious else None)
