"""Which images a person should look at: the worst, the ones on the edge, and the clearest."""

from collections.abc import Callable
from dataclasses import dataclass
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
    borderline: tuple[int, ...]
    best: tuple[int, ...]

    def __len__(self) -> int:
        """Count the images of all groups."""
        return len(self.worst) + len(self.borderline) + len(self.best)


def select_cases(scores: NDArray[Any], labels: NDArray[Any], threshold: float, per_group: int = 4) -> Cases:
    """Choose at most `per_group` images for each group, by the distance of their score (N,) to the threshold.

    worst: wrong verdicts, farthest from the threshold first, misses and false alarms in turn.
    borderline: of the rest, the nearest to the threshold.
    best: of the rest, right verdicts, farthest first, anomalous and normal in turn.

    The turns keep defects, whose scores spread widely, from crowding out normal images. The farther image starts.
    Images at equal distances are ordered by index. With few images the later groups are short or empty.

    Raises:
        MetricError: lengths differ, a score is not finite, a label is not 0 or 1, or per_group is below 1.

    >>> select_cases(np.array([0.1, 0.9, 0.4, 3.0]), np.array([0, 0, 1, 1]), 0.5, per_group=1)
    Cases(worst=(1,), borderline=(2,), best=(3,))
    """
    scores, labels = check_scores(scores, labels)
    if per_group < 1:
        raise MetricError(f"Expected 1 case or more in each group, got {per_group}: ask for more.")
    distance = np.abs(scores - threshold)
    nearest = [int(index) for index in np.argsort(distance, kind="stable")]
    farthest = [int(index) for index in np.argsort(-distance, kind="stable")]
    anomalous = labels == 1
    right = (scores > threshold) == anomalous

    def pick(order: list[int], group: Callable[[int], bool]) -> list[int]:
        return [index for index in order if group(index)]

    misses = pick(farthest, lambda index: not right[index] and bool(anomalous[index]))
    false_alarms = pick(farthest, lambda index: not (right[index] or anomalous[index]))
    worst = _take_turns(misses, false_alarms, distance)[:per_group]
    borderline = pick(nearest, lambda index: index not in worst)[:per_group]
    rest = pick(farthest, lambda index: bool(right[index]) and index not in borderline)
    detected = pick(rest, lambda index: bool(anomalous[index]))
    passed = pick(rest, lambda index: not anomalous[index])
    return Cases(tuple(worst), tuple(borderline), tuple(_take_turns(detected, passed, distance)[:per_group]))


def _take_turns(left: list[int], right: list[int], distance: NDArray[np.float64]) -> list[int]:
    """Merge two lists in turn, beginning with the farther first image; the rest of the longer list follows."""
    if left and right and distance[right[0]] > distance[left[0]]:
        left, right = right, left
    pairs = chain.from_iterable(zip_longest(left, right))
    return [index for index in pairs if index is not None]
