"""Selection of cases by hand-computed examples."""

import numpy as np
import pytest

from efficientad.errors import MetricError
from efficientad.reporting.contact_sheet import Cases
from efficientad.reporting.contact_sheet import select_cases as select

# Index:  0  1  2  3  4  5   6   7  8  9
SCORES = [1, 2, 9, 6, 4, 0, 20, 50, 7, 3]
LABELS = [0, 0, 0, 0, 1, 1, 1, 1, 1, 0]
THRESHOLD = 5


def select_cases(scores, labels, threshold, ious=None, **options):
    """Select with an outline IoU for the images that `ious` has; of all others no mask is known."""
    outline_ious = np.full(len(scores), np.nan)
    for index, value in (ious or {}).items():
        outline_ious[index] = value
    return select(scores, labels, outline_ious, threshold, **options)


def test_by_hand():
    # Misses: 5 (5 below), 4 (1 below). False alarms: 2 (4 above), 3 (1 above).
    # Nearest: 3 and 4 at 1, unless they are among the worst; then 8 and 9 at 2.
    # Right ones: anomalous 7 (45 above), 6 (15 above); normal 0 (4 below), 1 (3 below).
    cases = select_cases(np.array(SCORES), np.array(LABELS), THRESHOLD, per_group=2)
    assert cases == Cases(worst=(5, 2), worst_outlines=(), borderline=(3, 4), best=(7, 0))
    cases = select_cases(np.array(SCORES), np.array(LABELS), THRESHOLD, per_group=3)
    assert cases == Cases(worst=(5, 2, 4), worst_outlines=(), borderline=(3, 8, 9), best=(7, 0, 6))


def test_worst_outlines_by_hand():
    # Anomalous and found: 6, 7, 8; 4 and 5 are misses. Nearest of the rest: 3 and 4 at 1, then 9 at 2.
    ious = {4: 0.0, 5: 0.0, 6: 0.4, 7: 0.1, 8: 0.4}
    cases = select_cases(np.array(SCORES), np.array(LABELS), THRESHOLD, ious, per_group=2)
    assert cases == Cases(worst=(5, 2), worst_outlines=(7, 6), borderline=(3, 4), best=(0, 8))
    cases = select_cases(np.array(SCORES), np.array(LABELS), THRESHOLD, ious, per_group=3)
    assert cases == Cases(worst=(5, 2, 4), worst_outlines=(7, 6, 8), borderline=(3, 9, 1), best=(0,))
    assert len(cases) == 10


def test_a_defect_without_a_mask_has_no_outline():
    cases = select_cases(np.array(SCORES), np.array(LABELS), THRESHOLD, {7: 0.9}, per_group=2)
    assert cases.worst_outlines == (7,)


def test_the_larger_error_starts_the_turns():
    scores, labels = np.array([9, 8, 4, 3]), np.array([0, 0, 1, 1])
    assert select_cases(scores, labels, THRESHOLD, per_group=3).worst == (0, 3, 1)


def test_only_normal_images():
    cases = select_cases(np.array([0.1, 0.9, 0.4, 0.2]), np.zeros(4), 0.5, per_group=1)
    assert cases == Cases(worst=(1,), worst_outlines=(), borderline=(2,), best=(0,))


def test_no_wrong_verdict():
    assert select_cases(np.array([0.1, 0.9]), np.array([0, 1]), 0.5, per_group=1).worst == ()


def test_fewer_images_than_asked():
    cases = select_cases(np.array([0.1, 0.9, 0.3]), np.array([0, 1, 1]), 0.5, per_group=4)
    assert cases == Cases(worst=(2,), worst_outlines=(), borderline=(0, 1), best=())
    assert len(cases) == 3


def test_no_image():
    assert len(select_cases(np.array([]), np.array([]), 0.5)) == 0


@pytest.mark.parametrize("seed", range(5))
def test_no_image_twice_and_the_same_again(seed):
    rng = np.random.default_rng(seed)
    scores, labels = np.round(rng.random(40), 1), rng.integers(0, 2, 40)
    ious = dict(zip(np.flatnonzero(labels), np.round(rng.random(labels.sum()), 1), strict=True))
    cases = select_cases(scores, labels, 0.5, ious)
    chosen = cases.worst + cases.worst_outlines + cases.borderline + cases.best
    assert len(set(chosen)) == len(chosen) == len(cases) == 16
    assert select_cases(scores, labels, 0.5, ious) == cases


def test_an_outline_too_few_is_an_error():
    with pytest.raises(MetricError, match="each of 10 images, got 9"):
        select(np.array(SCORES), np.array(LABELS), np.zeros(9), THRESHOLD)


def test_no_group_is_an_error():
    with pytest.raises(MetricError, match="1 case or more"):
        select_cases(np.array(SCORES), np.array(LABELS), THRESHOLD, per_group=0)
