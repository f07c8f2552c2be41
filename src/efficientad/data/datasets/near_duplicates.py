"""Images of one physical part, found by content alone, whatever their names and their exposure.

Single linkage joins images by their similarity (see `similarity`) into ever larger clusters. A cluster shows one part
when its members are much more alike than any of them is like the nearest image outside. The comparison is with the
product itself, as parts that always lie alike, such as bottles, are alike in any case. The limits were chosen on the
magnetic tile set and MVTec AD screw (docs/decisions/0026).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from efficientad.data.datasets.similarity import (
    Images,
    Planes,
    compute_planes,
    find_candidates,
    measure_similarity,
    shrink_planes,
)

CANDIDATES = 15  # most alike images of each, whose similarity is measured
PAIR_RATIO, RATIO = 0.45, 0.55  # distance (1 - similarity) within over distance to outside; of two images, and of more
SMALLEST_GAP = 0.1  # between the similarities within and outside
LOWEST_SIMILARITY = 0.3
LARGEST_SHARE, LARGEST_COUNT = 0.1, 12  # of all images; a cluster above both is a variant of the product, not a part

Pair = tuple[int, int]


@dataclass(frozen=True)
class Cluster:
    """Images, by ascending index, that single linkage joins before it joins any of them to another.

    similarity: of the weakest link that holds them together. outside: of the strongest link to any other image.
    """

    members: tuple[int, ...]
    similarity: float
    outside: float


class _Forest:
    """Which cluster each of `count` images belongs to, as links join them."""

    def __init__(self, count: int) -> None:
        self.labels = np.arange(count)
        self.members = {index: [index] for index in range(count)}

    def join(self, kept: int, joined: int) -> None:
        members = self.members.pop(joined)
        self.labels[members] = kept
        self.members[kept] += members


def find_parts(images: Images) -> list[Cluster]:
    """Return the clusters of images (H, W, 3) uint8 that show one part, none of them inside of another.

    The cost is about linear up to some thousand images and quadratic beyond.
    """
    if len(images) < 3:  # with nothing outside there is nothing to compare with
        return []
    planes = compute_planes(images)
    clusters = build_clusters(measure_links(planes), len(images))
    parts = [cluster for cluster in clusters if shows_one_part(cluster, len(images))]
    return keep_outermost(parts)


def shows_one_part(cluster: Cluster, count: int) -> bool:
    """Whether a cluster among `count` images is tight enough, compared with what is outside, to show one part.

    >>> shows_one_part(Cluster((0, 1), 0.9, 0.4), count=100), shows_one_part(Cluster((0, 1), 0.9, 0.85), count=100)
    (True, False)
    """
    ratio = PAIR_RATIO if len(cluster.members) == 2 else RATIO
    return (
        len(cluster.members) <= max(LARGEST_COUNT, LARGEST_SHARE * count)
        and cluster.similarity >= LOWEST_SIMILARITY
        and cluster.similarity - cluster.outside >= SMALLEST_GAP
        and 1 - cluster.similarity <= ratio * (1 - cluster.outside)
    )


def measure_links(planes: Planes) -> dict[Pair, float]:
    """Return the similarity of candidate pairs (i, j), i < j, of planes (N, 128, 128); they join all images.

    Where candidates leave sets of images unconnected, the most alike images outside of each set are added.
    """
    count, coarse, everything = len(planes), shrink_planes(planes), np.arange(len(planes))
    nearest = find_candidates(coarse, min(CANDIDATES, count - 1), everything)
    pairs = _list_pairs(everything, nearest)
    while len((forest := _connect(pairs, count)).members) > 1:
        largest = max(forest.members, key=lambda label: len(forest.members[label]))
        rows = np.flatnonzero(forest.labels != largest)
        pairs |= _list_pairs(rows, find_candidates(coarse, 1, rows, forest.labels))
    return {pair: measure_similarity(planes[pair[0]], planes[pair[1]]) for pair in sorted(pairs)}


def build_clusters(links: Mapping[Pair, float], count: int) -> list[Cluster]:
    """Return every cluster of two or more that single linkage forms on the way to one of all images.

    >>> build_clusters({(0, 1): 0.9, (1, 2): 0.4, (0, 2): 0.3}, 3)
    [Cluster(members=(0, 1), similarity=0.9, outside=0.4)]
    """
    forest, weakest = _Forest(count), dict.fromkeys(range(count), 1.0)
    clusters = []
    for (first, second), similarity in sorted(links.items(), key=lambda link: (-link[1], link[0])):
        kept, joined = int(forest.labels[first]), int(forest.labels[second])
        if kept == joined:
            continue
        for label in (kept, joined):
            if len(members := forest.members[label]) > 1:
                clusters.append(Cluster(tuple(sorted(members)), weakest[label], similarity))
        forest.join(kept, joined)
        weakest[kept] = similarity
    return clusters


def keep_outermost(clusters: Iterable[Cluster]) -> list[Cluster]:
    """Drop clusters inside of others; the rest, largest first, are disjoint."""
    taken: set[int] = set()
    outermost = []
    for cluster in sorted(clusters, key=lambda cluster: (-len(cluster.members), cluster.members)):
        if taken.isdisjoint(cluster.members):
            outermost.append(cluster)
            taken |= set(cluster.members)
    return outermost


def list_cross_pairs(parts: Iterable[Cluster], splits: Sequence[str]) -> list[Pair]:
    """Return the pairs (i, j), i < j, of images of one part that stand in different splits, ascending."""
    pairs = (pair for part in parts for pair in combinations(part.members, 2))
    return sorted(pair for pair in pairs if splits[pair[0]] != splits[pair[1]])


def _list_pairs(rows: NDArray[np.intp], nearest: NDArray[np.intp]) -> set[Pair]:
    pairs = ((int(row), int(other)) for row, others in zip(rows, nearest, strict=True) for other in others)
    return {(min(pair), max(pair)) for pair in pairs}


def _connect(pairs: Iterable[Pair], count: int) -> _Forest:
    forest = _Forest(count)
    for first, second in pairs:
        kept, joined = int(forest.labels[first]), int(forest.labels[second])
        if kept != joined:
            forest.join(kept, joined)
    return forest
