"""Metrics of the image score: does the detector tell normal from anomalous images?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from efficientad.errors import MetricError
from efficientad.evaluation.curves import Curve


@dataclass(frozen=True)
class Confusion:
    """Counts of images at one threshold; positive means anomalous.

    >>> Confusion(true_positive=8, false_positive=1, true_negative=49, false_negative=2).miss_rate
    0.2
    """

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int

    @property
    def false_alarm_rate(self) -> float | None:
        """Share of the normal images that raise an alarm, in [0, 1]; None without normal images."""
        return _share(self.false_positive, self.false_positive + self.true_negative)

    @property
    def miss_rate(self) -> float | None:
        """Share of the anomalous images that raise no alarm, in [0, 1]; None without anomalous images."""
        return _share(self.false_negative, self.false_negative + self.true_positive)


def compute_image_metrics(scores: NDArray[Any], labels: NDArray[Any]) -> dict[str, float]:
    """Rank quality of the scores: image_auroc, image_ap (average precision) and image_f1_max, each in [0, 1].

    `scores` (N,) are raw and of any range, higher is more anomalous; `labels` (N,) are 0 normal, 1 anomalous.
    All three depend on the order of the scores alone. image_f1_max is the best F1 over all thresholds: it is
    picked on these very images, so it is an upper bound and promises nothing for new ones.

    Raises:
        MetricError: lengths differ, a score is not finite, a label is not 0 or 1, or a class is missing.

    >>> compute_image_metrics(np.array([-1.0, 0.2, 7.0, 0.1]), np.array([0, 1, 1, 0]))
    {'image_auroc': 1.0, 'image_ap': 1.0, 'image_f1_max': 1.0}
    """
    scores, labels = check_scores(scores, labels)
    _check_both_classes(labels)
    return {
        "image_auroc": float(roc_auc_score(labels, scores)),
        "image_ap": float(average_precision_score(labels, scores)),
        "image_f1_max": _find_f1_max(scores, labels),
    }


def compute_roc_curve(scores: NDArray[Any], labels: NDArray[Any]) -> Curve:
    """Receiver operating characteristic with a point for every distinct score; tied scores enter together.

    Takes and raises what `compute_image_metrics` does.

    >>> compute_roc_curve(np.array([3.0, 2.0, 1.0]), np.array([1, 0, 0])).false_positive_rate
    array([0. , 0. , 0.5, 1. ])
    """
    scores, labels = check_scores(scores, labels)
    _check_both_classes(labels)
    thresholds, true_positives, false_positives = _count_above(scores, labels)
    return Curve(false_positives / false_positives[-1], true_positives / true_positives[-1], thresholds)


def compute_confusion(scores: NDArray[Any], labels: NDArray[Any], threshold: float) -> Confusion:
    """Count right and wrong verdicts; an image counts as anomalous when its score is above the threshold.

    A score equal to the threshold counts as normal. One class may be missing.

    Raises:
        MetricError: lengths differ, a score is not finite, a label is not 0 or 1, or the threshold is NaN.
    """
    scores, labels = check_scores(scores, labels)
    if np.isnan(threshold):
        raise MetricError("The threshold must be a number, NaN came: fit it on finite validation scores.")
    alarm, anomalous = scores > threshold, labels == 1
    return Confusion(
        true_positive=int(np.count_nonzero(alarm & anomalous)),
        false_positive=int(np.count_nonzero(alarm & ~anomalous)),
        true_negative=int(np.count_nonzero(~alarm & ~anomalous)),
        false_negative=int(np.count_nonzero(~alarm & anomalous)),
    )


def check_scores(scores: NDArray[Any], labels: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return scores as float64 (N,) and labels as int64 (N,) of 0 and 1.

    Raises:
        MetricError: lengths differ, a score is not finite, or a label is not 0 or 1.
    """
    scores, labels = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if scores.ndim != 1 or scores.shape != labels.shape:
        raise MetricError(
            f"Expected scores and labels of one shape (N,), got {scores.shape} and {labels.shape}: "
            "give one label for each score."
        )
    bad = np.flatnonzero(~np.isfinite(scores))
    if bad.size:
        raise MetricError(
            f"Expected finite scores, got {scores[bad[0]]} at index {bad[0]} ({bad.size} of {scores.size} "
            "scores are not finite): check the image and the weights."
        )
    if not np.isin(labels, (0, 1)).all():
        raise MetricError(f"Expected labels 0 (normal) or 1 (anomalous), got {np.unique(labels)[:5]}: map them.")
    return scores, labels.astype(np.int64)


def _check_both_classes(labels: NDArray[np.int64]) -> None:
    anomalous = int(labels.sum())
    if anomalous == 0 or anomalous == labels.size:
        raise MetricError(
            f"Expected normal and anomalous images, got {labels.size - anomalous} normal and {anomalous} "
            "anomalous: add the missing class to the test split, or leave this metric out."
        )


def _count_above(
    scores: NDArray[np.float64], labels: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Thresholds (K + 1,) from high to low, true and false positives of `score > threshold` at each."""
    distinct, group = np.unique(scores, return_inverse=True)
    positives = np.bincount(group, weights=labels, minlength=distinct.size).astype(np.int64)[::-1]
    sizes = np.bincount(group, minlength=distinct.size)[::-1]
    thresholds = np.append(distinct[::-1], np.nextafter(distinct[0], -np.inf))
    true_positives = np.concatenate([[0], np.cumsum(positives)])
    false_positives = np.concatenate([[0], np.cumsum(sizes - positives)])
    return thresholds, true_positives, false_positives


def _find_f1_max(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    _, true_positives, false_positives = _count_above(scores, labels)
    f1 = 2 * true_positives / (true_positives + false_positives + labels.sum())
    return float(f1.max())


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
