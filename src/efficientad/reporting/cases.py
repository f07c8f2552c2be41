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
    """Pick at most `per_group` images for each group, by the distance of score (N,) and threshold.

    worst: wrong verdicts, farthest from the threshold first, misses and false alarms in turn.
    borderline: of the rest, the nearest to the threshold.
    best: of the rest, right verdicts, farthest first, anomalous and normal in turn.

    Turns start with the farther one. They keep the wide scores of defects from crowding out normal images.
    Equal distances go by index. With few images the later groups are short or empty.

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
    found = pick(rest, lambda index: bool(anomalous[index]))
    passed = pick(rest, lambda index: not anomalous[index])
    return Cases(tuple(worst), tuple(borderline), tuple(_take_turns(found, passed, distance)[:per_group]))


def _take_turns(one: list[int], other: list[int], distance: NDArray[np.float64]) -> list[int]:
    """Merge two lists in turn, the one that starts farther out first; the rest of the longer one follows."""
    if one and other and distance[other[0]] > distance[one[0]]:
        one, other = other, one
    pairs = chain.from_iterable(zip_longest(one, other))
    return [index for index in pairs if index is not None]
