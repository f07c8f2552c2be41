"""Tables as CSV files: the same bytes for the same numbers, readable by `dvc plots` and by spreadsheets."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientad.errors import MetricError
from efficientad.evaluation.image_level import check_scores, compute_confusion
from efficientad.pipeline.writing import write_text
from efficientad.reporting.histogram import choose_edges, count_scores

CLASS_NAMES = ("normal", "anomalous")
SCORE_COLUMNS = ("name", "label", "defect", "score", "verdict", "outline_iou")


def write_curve_csv(path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    """Write equally long columns (P,) with a header; floats at 6 significant digits.

    For a curve: `write_curve_csv(path, vars(downsample_curve(curve)))`.

    Raises:
        MetricError: the columns differ in length.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise MetricError(f"Expected columns of the same length, got {lengths}: cut or fill them.")
    write_rows(path, tuple(columns), zip(*columns.values(), strict=True))


def write_confusion_csv(path: Path, scores: NDArray[Any], labels: NDArray[Any], threshold: float) -> None:
    """Write how many `images` of each `actual` class were `predicted` to be of each class: four rows.

    A score (N,) above the threshold predicts "anomalous"; labels (N,) are 0 normal, 1 anomalous.

    Raises:
        MetricError: lengths differ, a score is not finite or a label is not 0 or 1.
    """
    found = compute_confusion(scores, labels, threshold)
    counts = (found.true_negative, found.false_positive, found.false_negative, found.true_positive)
    write_rows(
        path,
        ("actual", "predicted", "images"),
        ((*classes, count) for classes, count in zip(product(CLASS_NAMES, CLASS_NAMES), counts, strict=True)),
    )


def write_histogram_csv(path: Path, scores: NDArray[Any], labels: NDArray[Any], threshold: float) -> None:
    """Write how many `images` of each `class` have a score from `low` to `high`; `threshold` is in every row.

    Raises:
        MetricError: no scores, lengths differ, a score is not finite or a label is not 0 or 1.
    """
    edges = choose_edges(scores, threshold)
    rows = [
        (name, low, high, count, threshold)
        for name, counts in zip(CLASS_NAMES, count_scores(scores, labels, edges), strict=True)
        for (low, high), count in zip(pairwise(edges), counts, strict=True)
        if count
    ]
    write_rows(path, ("class", "low", "high", "images", "threshold"), rows)


def write_scores_csv(
    path: Path,
    names: Sequence[str],
    labels: NDArray[Any],
    defects: Sequence[str],
    scores: NDArray[Any],
    verdicts: NDArray[Any],
    outline_ious: NDArray[Any],
) -> None:
    """Write name, label, defect, score, verdict and outline IoU of each image, in the order given.

    `labels` and `verdicts` (N,) are 0 or False for normal, 1 or True for anomalous; `defects` are kinds of
    defect, "" or "good" where there is none. `outline_ious` are those of `compute_outline_ious`; NaN is an empty cell.

    Raises:
        MetricError: lengths differ, a score is not finite or a label is not 0 or 1.
    """
    scores, labels = check_scores(scores, labels)
    if not len(names) == len(defects) == len(verdicts) == len(outline_ious) == len(scores):
        raise MetricError(
            f"Expected names, defects, scores, verdicts and outline IoUs of the same length, got {len(names)}, "
            f"{len(defects)}, {len(scores)}, {len(verdicts)} and {len(outline_ious)}: give one of each per image."
        )
    rows = (
        (name, CLASS_NAMES[label], defect, score, CLASS_NAMES[int(verdict)], iou)
        for name, label, defect, score, verdict, iou in zip(
            names, labels, defects, scores, verdicts, outline_ious, strict=True
        )
    )
    write_rows(path, SCORE_COLUMNS, rows)


def format_cell(value: object) -> str:
    """Return the text of a cell: floats are rounded to 6 significant digits and written the shortest way, NaN as "".

    >>> [format_cell(value) for value in (np.float32(0.1), 1 / 3, 2.0, 3, "screw, front", np.nan)]
    ['0.1', '0.333333', '2.0', '3', 'screw, front', '']
    """
    if isinstance(value, float | np.floating) and np.isnan(value):
        return ""
    if isinstance(value, float | np.floating):
        return repr(float(f"{float(value):.6g}"))
    return str(value)


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table; missing folders are made."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([format_cell(value) for value in row] for row in rows)
    write_text(path, lines.getvalue())
