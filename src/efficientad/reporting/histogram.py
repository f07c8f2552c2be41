"""The bins of a histogram of scores: those of the figure, and those of the table that `dvc plots` draws."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientad.errors import MetricError
from efficientad.evaluation.image_level import check_scores

MOST_BINS = 60


def choose_edges(scores: NDArray[Any], threshold: float) -> NDArray[np.float64]:
    """Return the edges (B + 1,) of equal bins around all scores (N,) and the threshold; B grows with N up to 60.

    Raises:
        MetricError: there are no scores.
    """
    if len(scores) == 0:
        raise MetricError("Expected one score or more, got none: give the scores of a split that has images.")
    bins = min(MOST_BINS, 10 + 2 * int(np.sqrt(len(scores))))
    return np.asarray(np.histogram_bin_edges(np.append(scores, threshold), bins=bins), np.float64)


def count_scores(
    scores: NDArray[Any], labels: NDArray[Any], edges: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return how many normal (label 0) and how many anomalous (1) scores (N,) each bin holds: (B,) each.

    Raises:
        MetricError: lengths differ, a score is not finite or a label is not 0 or 1.

    >>> [counts.tolist() for counts in count_scores(np.array([0, 1, 2.0]), np.array([0, 0, 1]), np.array([0, 1.5, 2]))]
    [[2, 0], [0, 1]]
    """
    scores, labels = check_scores(scores, labels)
    normal, anomalous = (np.histogram(scores[labels == label], edges)[0] for label in (0, 1))
    return normal, anomalous
