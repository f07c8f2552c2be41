"""A painted defect changes what it covers, and only that; the cells that it counts in are those that see it."""

import numpy as np
import pytest

from efficientad.data.defects.paint import paint_defect
from efficientad.training.detection.covered_cells import find_covered_cells

SHAPE = (104, 108)


def draw(seed):
    rng = np.random.default_rng(seed)
    image, photograph, other = (rng.integers(0, 256, (*SHAPE, 3), dtype=np.uint8) for _ in range(3))
    return image, paint_defect(image, photograph, other, rng)


@pytest.mark.parametrize("seed", range(30))
def test_nothing_changes_but_what_is_covered(seed):
    image, defect = draw(seed)
    assert defect.image.dtype == np.uint8
    assert defect.image.shape == image.shape
    assert 0 <= defect.cover.min() <= defect.cover.max() <= 1
    changed = (defect.image != image).any(axis=2)
    rows, columns = np.nonzero(defect.cover)
    near = np.zeros(SHAPE, bool)  # the edge is blurred over 3 px
    for dy in range(-3, 4):
        for dx in range(-3, 4):
            near[np.clip(rows + dy, 0, SHAPE[0] - 1), np.clip(columns + dx, 0, SHAPE[1] - 1)] = True
    assert not (changed & ~near).any()


def test_nearly_every_defect_can_be_seen():
    steps = [np.abs(defect.image.astype(int) - image).max() for image, defect in map(draw, range(100))]
    assert np.mean(np.array(steps) > 20) > 0.9


def test_defects_are_of_many_sizes():
    shares = [defect.cover.mean() for _, defect in map(draw, range(100))]
    assert np.quantile(shares, 0.1) < 0.01
    assert np.quantile(shares, 0.9) > 0.1


def test_the_same_generator_gives_the_same_defect():
    for first, again in zip(draw(5)[1], draw(5)[1], strict=True):
        assert np.array_equal(first, again)


def test_a_cell_counts_when_its_middle_is_covered():
    """Cell (i, j) of a patch description network is centred on pixel (16 + 4 i, 16 + 4 j)."""
    cover = np.zeros(SHAPE)
    cover[16 + 4 * 3 - 4 : 16 + 4 * 3 + 5, 16 + 4 * 7 - 4 : 16 + 4 * 7 + 5] = 1
    cells = find_covered_cells(cover)
    assert cells.shape == (18, 19)
    shares = np.array(
        [[cover[12 + 4 * i : 21 + 4 * i, 12 + 4 * j : 21 + 4 * j].mean() for j in range(19)] for i in range(18)]
    )
    assert np.array_equal(cells, shares > 0.15)
    assert cells[3, 7]
    assert not cells[3, 10]


def test_all_cells_of_a_whole_cover_count():
    assert find_covered_cells(np.ones((256, 256))).shape == (56, 56)
    assert find_covered_cells(np.ones((256, 256))).all()
