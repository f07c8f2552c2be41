"""A test split with a detector's maps and scores, and what they are worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientad.data.prepared import Prepared
from efficientad.data.rows import Rows
from efficientad.evaluation.image_level import compute_confusion, compute_image_metrics
from efficientad.evaluation.pixel_level import compute_pixel_auroc, compute_pro_curve, integrate_pro_curve


@dataclass(frozen=True)
class TestSplit:
    """A test split with what the detector said of it; arrays are in the same order."""

    __test__ = False  # for pytest, which collects classes by this name

    names: Sequence[str]
    defects: Sequence[str]
    labels: NDArray[np.int64]  # (N,), 0 normal, 1 anomalous
    images: Rows  # (N, H, W, 3) uint8 RGB
    masks: Rows  # (N, H, W) bool
    mask_known: NDArray[np.bool_]  # (N,)
    maps: Rows  # (N, H, W) float32
    scores: NDArray[np.float32]  # (N,)


def build_test_split(
    prepared: Prepared, maps: Rows, scores: NDArray[np.float32], chosen: NDArray[np.intp] | None = None
) -> TestSplit:
    """Join the test images, or the `chosen` of them, with what the detector said of them, in the same order."""
    indices = prepared.indices("test") if chosen is None else chosen
    rows = [prepared.rows[index] for index in indices]
    return TestSplit(
        names=[row.name for row in rows],
        defects=[row.defect for row in rows],
        labels=np.array([row.label for row in rows]),
        images=Rows(prepared.images, indices),
        masks=Rows(prepared.masks, indices),
        mask_known=np.array([row.mask for row in rows]),
        maps=maps,
        scores=scores,
    )


def measure(split: TestSplit, fpr_limit: float) -> dict[str, float]:
    """Return the accuracy on raw scores and maps.

    Keys image_auroc, image_ap, image_f1_max, pixel_auroc, au_pro; those are left out that the split cannot
    tell: all image keys without defects, the pixel keys without any mask.
    """
    metrics: dict[str, float] = {}
    if _has_both_classes(split):
        metrics |= compute_image_metrics(split.scores, split.labels)
    maps, masks = collect_pixels(split)
    if len(maps):
        metrics["pixel_auroc"] = compute_pixel_auroc(maps, masks)
        metrics["au_pro"] = integrate_pro_curve(compute_pro_curve(maps, masks), fpr_limit)
    return metrics


def describe_verdicts(split: TestSplit, threshold: float) -> dict[str, Any]:
    """Return the confusion at the threshold; a rate is null where its class is missing."""
    confusion = compute_confusion(split.scores, split.labels, threshold)
    return {
        "threshold": threshold,
        **vars(confusion),
        "false_alarm_rate": confusion.false_alarm_rate,
        "miss_rate": confusion.miss_rate,
    }


def _has_both_classes(split: TestSplit) -> bool:
    return 0 < int(split.labels.sum()) < len(split.labels)


def collect_pixels(split: TestSplit) -> tuple[Rows, Rows]:
    """Return maps and masks of the normal images and of the annotated anomalous ones.

    An anomalous image without a mask would count as free of defects; with no annotated defect at all
    there is nothing to measure, and both are empty.
    """
    annotated = split.mask_known & (split.labels == 1)
    rows = np.flatnonzero(((split.labels == 0) | split.mask_known) & annotated.any())
    return split.maps.select(rows), split.masks.select(rows)
