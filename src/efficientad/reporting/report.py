"""The report of an evaluation: tables, curves and a contact sheet."""

from dataclasses import fields
from pathlib import Path

import numpy as np

from efficientad.evaluation.curves import Curve, ProCurve, downsample_curve
from efficientad.evaluation.image_level import compute_roc_curve
from efficientad.evaluation.outlines import compute_outline_ious
from efficientad.evaluation.pixel_level import compute_pro_curve
from efficientad.evaluation.test_split import TestSplit, collect_pixels
from efficientad.reporting.case_pictures import write_case_pictures
from efficientad.reporting.contact_sheet import select_cases, write_contact_sheet
from efficientad.reporting.figures import write_pro_figure, write_roc_figure, write_score_histogram
from efficientad.reporting.tables import write_confusion_csv, write_curve_csv, write_histogram_csv, write_scores_csv


def write_tables(split: TestSplit, metrics: dict[str, float], threshold: float, folder: Path) -> None:
    """Write the tables that `dvc plots` draws: roc.csv, pro.csv, score_histogram.csv and confusion.csv.

    A curve that the split does not allow (see `measure`) is a table without rows.
    """
    roc = {field.name: np.array([]) for field in fields(Curve)}
    pro = {field.name: np.array([]) for field in fields(ProCurve)}
    if "image_auroc" in metrics:
        roc = vars(downsample_curve(compute_roc_curve(split.scores, split.labels)))
    if "au_pro" in metrics:
        pro = vars(downsample_curve(compute_pro_curve(*collect_pixels(split))))
    write_curve_csv(folder / "roc.csv", roc)
    write_curve_csv(folder / "pro.csv", pro)
    write_histogram_csv(folder / "score_histogram.csv", split.scores, split.labels, threshold)
    write_confusion_csv(folder / "confusion.csv", split.scores, split.labels, threshold)


def write_report(
    split: TestSplit,
    metrics: dict[str, float],
    threshold: float,
    fpr_limit: float,
    per_group: int,
    folder: Path,
) -> None:
    """Write the files for people: scores.csv, contact_sheet.png, score_histogram.png, roc.png and pro.png.

    In `cases` are the sheet's pictures one by one, of which the detector's page is made.
    roc.png and pro.png are left out when the split does not allow them (see `measure`).
    """
    verdicts = split.scores > threshold
    outline_ious = compute_outline_ious(split.maps, split.masks, threshold)
    write_scores_csv(
        folder / "scores.csv", split.names, split.labels, split.defects, split.scores, verdicts, outline_ious
    )
    write_score_histogram(folder / "score_histogram.png", split.scores, split.labels, threshold)
    cases = select_cases(split.scores, split.labels, outline_ious, threshold, per_group)
    write_contact_sheet(
        folder / "contact_sheet.png", cases, split.images, split.masks, split.maps, split.scores, split.labels,
        outline_ious, split.names, threshold,
    )  # fmt: skip
    write_case_pictures(folder / "cases", cases, split, threshold)
    if "image_auroc" in metrics:
        roc = compute_roc_curve(split.scores, split.labels)
        write_roc_figure(folder / "roc.png", roc, metrics["image_auroc"])
    if "au_pro" in metrics:
        write_pro_figure(folder / "pro.png", compute_pro_curve(*collect_pixels(split)), metrics["au_pro"], fpr_limit)
