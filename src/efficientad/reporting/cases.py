"""Which images a person should look at: wrong verdicts, bad outlines, those on the edge, and the clearest."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from itertools import chain, zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientad.errors import MetricError
from efficientad.evaluation.image_level import check_scores


@dataclass(frozen=True)
class Cases:
    """Indices of images in the order in which to show them; no image is in two groups."""

    worst: tuple[int, ...]
    worst_outlines: tuple[int, ...]
    borderline: tuple[int, ...]
    best: tuple[int, ...]

    def __len__(self) -> int:
        """Count the images of all groups."""
        return sum(len(getattr(self, group.name)) for group in fields(self))


def select_cases(
    scores: NDArray[Any], labels: NDArray[Any], outline_ious: NDArray[Any], threshold: float, per_group: int = 4
) -> Cases:
    """Choose at most `per_group` images for each group, by their outlines and their scores' distance to the threshold.

    `scores`, `labels` of 0 or 1 and `outline_ious` are (N,), the last as of `compute_outline_ious`.

    worst: wrong verdicts, farthest from the threshold first, misses and false alarms in turn.
    worst_outlines: defects found whose outline IoU is known, lowest first.
    borderline: of the rest, the nearest to the threshold.
    best: of the rest, right verdicts, farthest first, anomalous and normal in turn.

    The turns keep defects, whose scores spread widely, from crowding out normal images. The farther image starts.
    Images at equal distances are ordered by index. With few images the later groups are short or empty.

    Raises:
        MetricError: lengths differ, a score is not finite, a label is not 0 or 1, or per_group is below 1.

    >>> ious = np.array([np.nan, np.nan, 0.0, 0.7, 0.2])
    >>> select_cases(np.array([0.1, 0.9, 0.4, 3.0, 2.0]), np.array([0, 0, 1, 1, 1]), ious, 0.5, per_group=1)
    Cases(worst=(1,), worst_outlines=(4,), borderline=(2,), best=(3,))
    """
    scores, labels = check_scores(scores, labels)
    if per_group < 1:
        raise MetricError(f"Expected 1 case or more in each group, got {per_group}: ask for more.")
    if len(outline_ious) != len(scores):
        raise MetricError(
            f"Expected an outline IoU for each of {len(scores)} images, got {len(outline_ious)}: "
            "give NaN where no defect is annotated."
        )
    distance = np.abs(scores - threshold)
    nearest = [int(index) for index in np.argsort(distance, kind="stable")]
    farthest = [int(index) for index in np.argsort(-distance, kind="stable")]
    worst_fitting = [int(index) for index in np.argsort(outline_ious, kind="stable")]
    anomalous = labels == 1
    right = (scores > threshold) == anomalous

    def pick(order: list[int], group: Callable[[int], bool]) -> list[int]:
        return [index for index in order if group(index)]

    misses = pick(farthest, lambda index: not right[index] and bool(anomalous[index]))
    false_alarms = pick(farthest, lambda index: not (right[index] or anomalous[index]))
    worst = _take_turns(misses, false_alarms, distance)[:per_group]
    found_defect = right & anomalous & ~np.isnan(outline_ious)
    worst_outlines = pick(worst_fitting, lambda index: bool(found_defect[index]))[:per_group]
    borderline = pick(nearest, lambda index: index not in worst + worst_outlines)[:per_group]
    rest = pick(farthest, lambda index: bool(right[index]) and index not in worst_outlines + borderline)
    detected = pick(rest, lambda index: bool(anomalous[index]))
    passed = pick(rest, lambda index: not anomalous[index])
    best = _take_turns(detected, passed, distance)[:per_group]
    return Cases(tuple(worst), tuple(worst_outlines), tuple(borderline), tuple(best))


def _take_turns(left: list[int], right: list[int], distance: NDArray[np.float64]) -> list[int]:
    """Merge two lists in turn, beginning with the farther first image; the rest of the longer list follows."""
    if left and right and distance[right[0]] > distance[left[0]]:
        left, right = right, left
    pairs = chain.from_iterable(zip_longest(left, right))
    return [index for index in pairs if index is not None]
