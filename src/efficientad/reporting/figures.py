"""Figures of a run: ROC and PRO curves, score histogram. Each writes one file, PNG or SVG by its name."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from efficientad.evaluation.curves import Curve, ProCurve, downsample_curve
from efficientad.evaluation.image_level import check_scores
from efficientad.reporting.canvas import ANOMALOUS_COLOUR, NORMAL_COLOUR, label_axes, open_figure
from efficientad.reporting.histogram import choose_edges

CURVE_POINTS = 2000


def write_roc_figure(path: Path, curve: Curve, auroc: float, side_px: int = 560) -> None:
    """Draw the ROC curve of the images, with the diagonal of chance and `auroc` in [0, 1] in the title."""
    thin = downsample_curve(curve, CURVE_POINTS)
    with open_figure(path, width_px=side_px, height_px=side_px) as figure:
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1, label="chance")
        axes.plot(
            thin.false_positive_rate,
            thin.true_positive_rate,
            color=NORMAL_COLOUR,
            linewidth=2,
            label="detector",
            clip_on=False,
        )
        _show_rates(axes)
        axes.set_aspect("equal")
        axes.legend(loc="lower right")
        label_axes(
            axes,
            f"Image ROC: AUROC {auroc:.4f}",
            "false alarms: share of normal images",
            "detected: share of anomalous images",
        )


def write_pro_figure(path: Path, curve: ProCurve, au_pro: float, fpr_limit: float, side_px: int = 560) -> None:
    """Draw the PRO curve with the area up to `fpr_limit` shaded and `au_pro` in [0, 1] in the title."""
    thin = downsample_curve(curve, CURVE_POINTS)
    rate, overlap = thin.false_positive_rate, thin.region_overlap
    with open_figure(path, width_px=side_px, height_px=side_px) as figure:
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1, label="chance")
        at_limit = float(np.interp(fpr_limit, rate, overlap))
        inside = rate < fpr_limit
        axes.fill_between(
            np.append(rate[inside], fpr_limit),
            np.append(overlap[inside], at_limit),
            color=NORMAL_COLOUR,
            alpha=0.2,
            linewidth=0,
            label="area that counts",
        )
        axes.plot(rate, overlap, color=NORMAL_COLOUR, linewidth=2, label="detector", clip_on=False)
        axes.axvline(fpr_limit, color="black", linewidth=1, linestyle=":")
        _show_rates(axes)
        axes.set_aspect("equal")
        axes.legend(loc="lower right")
        label_axes(
            axes,
            f"Per-region overlap: AU-PRO {au_pro:.4f} up to {fpr_limit:g}",
            "false positives: share of defect-free pixels",
            "mean overlap with the defect regions",
        )


def write_score_histogram(
    path: Path, scores: NDArray[Any], labels: NDArray[Any], threshold: float, width_px: int = 720
) -> None:
    """Draw the scores (N,) of normal (0) and anomalous (1) images, with the threshold as a line.

    The legend counts the images, and those above the threshold. One of the classes may be missing.

    Raises:
        MetricError: no scores, lengths differ, a score is not finite or a label is not 0 or 1.
    """
    scores, labels = check_scores(scores, labels)
    edges = choose_edges(scores, threshold)
    with open_figure(path, width_px) as figure:
        axes = figure.subplots()
        for label, name, colour in ((0, "normal", NORMAL_COLOUR), (1, "anomalous", ANOMALOUS_COLOUR)):
            class_scores = scores[labels == label]
            if class_scores.size:
                above = int(np.count_nonzero(class_scores > threshold))
                legend = f"{name}: {class_scores.size}, {above} above the threshold"
                axes.hist(class_scores, bins=list(edges), color=colour, alpha=0.6, label=legend)
        axes.axvline(threshold, color="black", linestyle="--", label=f"threshold {threshold:.4g}")
        axes.legend(loc="upper right")
        axes.grid(visible=False, axis="x")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        label_axes(axes, "Image scores", "score (higher is more anomalous)", "images")


def _show_rates(axes: Axes) -> None:
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
