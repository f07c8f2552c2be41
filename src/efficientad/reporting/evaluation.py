"""What a test split says of a detector: metrics, curves and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientad.data.prepared import Prepared
from efficientad.data.rows import Rows
from efficientad.metrics.curves import Curve, ProCurve, downsample_curve
from efficientad.metrics.image_level import compute_confusion, compute_image_metrics, compute_roc_curve
from efficientad.metrics.pixel_level import compute_pixel_auroc, compute_pro_curve, integrate_pro_curve
from efficientad.reporting.contact_sheet import select_cases, write_contact_sheet
from efficientad.reporting.figures import write_pro_figure, write_roc_figure, write_score_histogram
from efficientad.reporting.tables import write_confusion_csv, write_curve_csv, write_scores_csv


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
    maps, masks = _collect_pixels(split)
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


def write_tables(split: TestSplit, metrics: dict[str, float], threshold: float, folder: Path) -> None:
    """Write what `dvc plots` draws: roc.csv, pro.csv and confusion.csv.

    A curve that the split cannot give (see `measure`) is a table without rows.
    """
    roc = {field.name: np.array([]) for field in fields(Curve)}
    pro = {field.name: np.array([]) for field in fields(ProCurve)}
    if "image_auroc" in metrics:
        roc = vars(downsample_curve(compute_roc_curve(split.scores, split.labels)))
    if "au_pro" in metrics:
        pro = vars(downsample_curve(compute_pro_curve(*_collect_pixels(split))))
    write_curve_csv(folder / "roc.csv", roc)
    write_curve_csv(folder / "pro.csv", pro)
    write_confusion_csv(folder / "confusion.csv", split.scores, split.labels, threshold)


def write_report(
    split: TestSplit,
    metrics: dict[str, float],
    threshold: float,
    fpr_limit: float,
    per_group: int,
    folder: Path,
) -> None:
    """Write what people look at: scores.csv, contact_sheet.png, score_histogram.png, roc.png and pro.png.

    The last two are left out where the split cannot give them (see `measure`).
    """
    verdicts = split.scores > threshold
    write_scores_csv(folder / "scores.csv", split.names, split.labels, split.defects, split.scores, verdicts)
    write_score_histogram(folder / "score_histogram.png", split.scores, split.labels, threshold)
    cases = select_cases(split.scores, split.labels, threshold, per_group)
    write_contact_sheet(
        folder / "contact_sheet.png", cases, split.images, split.masks, split.maps, split.scores, split.labels,
        split.names, threshold,
    )  # fmt: skip
    if "image_auroc" in metrics:
        roc = compute_roc_curve(split.scores, split.labels)
        write_roc_figure(folder / "roc.png", roc, metrics["image_auroc"])
    if "au_pro" in metrics:
        write_pro_figure(folder / "pro.png", compute_pro_curve(*_collect_pixels(split)), metrics["au_pro"], fpr_limit)


def _has_both_classes(split: TestSplit) -> bool:
    return 0 < int(split.labels.sum()) < len(split.labels)


def _collect_pixels(split: TestSplit) -> tuple[Rows, Rows]:
    """Return maps and masks of the normal images and of the annotated anomalous ones.

    An anomalous image without a mask would count as free of defects; with no annotated defect at all
    there is nothing to measure, and both are empty.
    """
    annotated = split.mask_known & (split.labels == 1)
    rows = np.flatnonzero(((split.labels == 0) | split.mask_known) & annotated.any())
    return split.maps.select(rows), split.masks.select(rows)
