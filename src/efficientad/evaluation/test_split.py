"""A test split joined with a detector's maps and scores, and its accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.annotations import Annotations
from efficientad.data.arrays.prepared import Prepared
from efficientad.data.arrays.rows import Rows
from efficientad.evaluation.image_level import compute_confusion, compute_image_metrics
from efficientad.evaluation.outlines import compute_outline_iou
from efficientad.evaluation.pixel_level import compute_pixel_auroc, compute_pro_curve, integrate_pro_curve


@dataclass(frozen=True)
class TestSplit:
    """The images of a test split with a detector's maps and scores; all arrays are in the same order."""

    __test__ = False  # for pytest, which collects classes by this name

    names: Sequence[str]
    defects: Sequence[str]
    labels: NDArray[np.int64]  # (N,), 0 normal, 1 anomalous
    images: Rows  # (N, H, W, 3) uint8 RGB
    masks: Rows  # (N, H, W) bool
    is_annotated: NDArray[np.bool_]  # (N,), True where a mask says which pixels are defective
    maps: Rows  # (N, H, W) float32
    scores: NDArray[np.float32]  # (N,)
    annotations: Annotations | None = None  # the defects one by one, where the data set has them


def build_test_split(
    prepared: Prepared, maps: Rows, scores: NDArray[np.float32], chosen: NDArray[np.intp] | None = None
) -> TestSplit:
    """Join the test images, or the `chosen` ones, with their maps and scores, which come in the same order."""
    indices = prepared.indices("test") if chosen is None else chosen
    rows = [prepared.rows[index] for index in indices]
    return TestSplit(
        names=[row.name for row in rows],
        defects=[row.defect for row in rows],
        labels=np.array([row.label for row in rows]),
        images=Rows(prepared.images, indices),
        masks=Rows(prepared.masks, indices),
        is_annotated=np.array([row.mask for row in rows]),
        maps=maps,
        scores=scores,
        annotations=None if prepared.annotations is None else prepared.annotations.select(indices),
    )


def measure(split: TestSplit, fpr_limit: float, threshold: float | None = None) -> dict[str, float]:
    """Return the accuracy on raw scores and maps.

    Keys: image_auroc, image_ap, image_f1_max, pixel_auroc, au_pro, outline_iou. The image keys need anomalous images
    in the split, the pixel keys need masks; without them they are left out. outline_iou needs a threshold, too: it
    is the only one that depends on it.
    """
    metrics: dict[str, float] = {}
    if _has_both_classes(split):
        metrics |= compute_image_metrics(split.scores, split.labels)
    maps, masks = collect_pixels(split)
    if len(maps):
        metrics["pixel_auroc"] = compute_pixel_auroc(maps, masks)
        metrics["au_pro"] = integrate_pro_curve(compute_pro_curve(maps, masks), fpr_limit)
        if threshold is not None:
            metrics["outline_iou"] = compute_outline_iou(maps, masks, threshold)
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

    An anomalous image without a mask is left out, since all its pixels would count as free of defects. Both are
    empty when no defect is annotated: then there is nothing to measure.
    """
    has_defects = bool((split.is_annotated & (split.labels == 1)).any())
    rows = np.flatnonzero(((split.labels == 0) | split.is_annotated) & has_defects)
    return split.maps.select(rows), split.masks.select(rows)
