"""Parts that were photographed more than once are found by content; parts that only look alike are not."""

from itertools import combinations

import numpy as np
import pytest
from photographed_parts import draw_surface, photograph, photograph_parts

from efficientad.data.datasets.near_duplicates import (
    Cluster,
    build_clusters,
    find_parts,
    keep_outermost,
    list_cross_pairs,
    measure_links,
    shows_one_part,
)
from efficientad.data.datasets.similarity import compute_planes
from efficientad.data.datasets.synthetic.provider import SyntheticProvider


def _measure(images: list[np.ndarray], parts: list[int], splits: list[str]) -> tuple[float, int]:
    """The share of the pairs across splits of one part that is found, and how many other pairs are."""
    pairs = list_cross_pairs(find_parts(images), splits)
    true = {(i, j) for i, j in combinations(range(len(images)), 2) if parts[i] == parts[j] and splits[i] != splits[j]}
    return len(true & set(pairs)) / len(true), len(set(pairs) - true)


def _split(count: int, seed: int) -> list[str]:
    return list(np.random.default_rng(seed).choice(["train", "validation", "test"], count, p=[0.8, 0.1, 0.1]))


@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize("exposures", [[0.4, 1.0], [0.3, 0.45, 0.6, 0.8, 1.0, 1.3]])
def test_parts_at_several_exposures_are_found_and_no_others(exposures: list[float], share: float):
    images, parts = photograph_parts(120 // len(exposures), exposures, seed=len(exposures), share=share)
    recall, false_pairs = _measure(images, parts, _split(len(images), seed=0))
    assert recall >= 0.95
    assert false_pairs == 0


def test_parts_photographed_once_are_not_reported():
    images, _ = photograph_parts(80, [1.0], seed=7, share=0.7)
    assert find_parts(images) == []


@pytest.mark.parametrize("product", ["washer", "fabric", "circuit"])
def test_products_that_lie_alike_are_not_reported(product: str):
    """Boards and washers are alike in any case, and the weave repeats; each is drawn anew."""
    provider = SyntheticProvider(product, train=50, test_good=10, test_per_defect=3, seed=11)
    assert find_parts([provider.load_image(sample) for sample in provider.list_samples()]) == []


def test_a_defect_does_not_hide_the_part():
    images, _ = photograph_parts(40, [1.0], seed=3)
    rng = np.random.default_rng(99)
    surface = draw_surface(rng)
    scratched = photograph(surface, rng, 0.7)
    scratched[70:76, 20:120] = 255
    both = [*images, photograph(surface, rng, 1.0), scratched]
    assert [cluster.members for cluster in find_parts(both)] == [(40, 41)]


def test_a_part_with_more_images_than_candidates_is_one_part():
    """25 images of one part have each other as their candidates: the images outside must still be reached."""
    rng = np.random.default_rng(5)
    surface = draw_surface(rng)
    single, _ = photograph_parts(275, [1.0], seed=6)
    often = [photograph(surface, rng, rng.uniform(0.5, 1.2)) for _ in range(25)]
    (cluster,) = find_parts([*often, *single])
    assert cluster.members == tuple(range(25))
    assert cluster.outside < 0.5


def test_two_variants_of_a_product_are_not_two_parts():
    """Each half has a print in common: alike within, unlike across."""
    first, _ = photograph_parts(40, [1.0], seed=8, share=0.6)
    second, _ = photograph_parts(40, [1.0], seed=9, share=0.6)
    assert find_parts([*first, *second]) == []


def test_links_join_all_images():
    images, _ = photograph_parts(4, [0.5 + 0.02 * n for n in range(20)], seed=1)
    links = measure_links(compute_planes(images))
    reached = {0}
    for _ in range(len(images)):
        reached |= {i for pair in links for i in pair if reached & set(pair)}
    assert reached == set(range(80))
    assert all(i < j for i, j in links)


def test_clusters_by_hand():
    """0 and 1 join at 0.9, 2 joins them at 0.7; 3 and 4 join at 0.8; all join at 0.2."""
    links = {(0, 1): 0.9, (1, 2): 0.7, (0, 2): 0.6, (3, 4): 0.8, (2, 3): 0.2, (0, 4): 0.1}
    assert set(build_clusters(links, 5)) == {
        Cluster((0, 1), 0.9, 0.7),
        Cluster((0, 1, 2), 0.7, 0.2),
        Cluster((3, 4), 0.8, 0.2),
    }


@pytest.mark.parametrize(
    ("members", "similarity", "outside", "expected"),
    [
        (2, 0.80, 0.50, True),  # distance 0.20 of 0.50
        (2, 0.74, 0.50, False),  # 0.26 of 0.50 is more than 0.45
        (3, 0.74, 0.50, True),  # but less than 0.55
        (3, 0.70, 0.50, False),
        (2, 0.99, 0.91, False),  # everything is alike here
        (3, 0.29, -0.40, False),  # nothing is alike here
        (20, 0.90, 0.20, True),
        (21, 0.90, 0.20, False),  # more than a tenth of 200 images
    ],
)
def test_the_rule_by_hand(members: int, similarity: float, outside: float, expected: bool):
    assert shows_one_part(Cluster(tuple(range(members)), similarity, outside), count=200) is expected


def test_small_sets_may_have_twelve_images_of_a_part():
    assert shows_one_part(Cluster(tuple(range(12)), 0.9, 0.2), count=30)
    assert not shows_one_part(Cluster(tuple(range(13)), 0.9, 0.2), count=30)


def test_the_outermost_clusters_remain():
    clusters = [Cluster((0, 1), 0.9, 0.7), Cluster((0, 1, 2), 0.7, 0.2), Cluster((3, 4), 0.8, 0.2)]
    assert keep_outermost(clusters) == [clusters[1], clusters[2]]


def test_pairs_across_splits_alone():
    parts = [Cluster((0, 2, 3), 0.7, 0.2), Cluster((1, 4), 0.8, 0.2)]
    assert list_cross_pairs(parts, ["train", "train", "train", "test", "validation"]) == [(0, 3), (1, 4), (2, 3)]


def test_two_images_have_nothing_to_compare_with():
    images, _ = photograph_parts(1, [1.0, 0.5], seed=0)
    assert find_parts(images) == []
    assert find_parts([]) == []
