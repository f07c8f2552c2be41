"""What a sample is, and a choice among names."""

import pytest

from efficientad.data.arrays.samples import Sample, hold_out


@pytest.mark.parametrize(("defect", "label"), [("good", 0), ("dent", 1), ("scratch", 1), ("", 1), ("Good", 1)])
def test_all_but_good_is_anomalous(defect: str, label: int):
    assert Sample("test/0.png", "test", defect).label == label


@pytest.mark.parametrize(
    ("count", "fraction", "chosen"),
    [(10, 0.0, 0), (10, 0.01, 1), (2, 0.1, 1), (1, 0.1, 0), (1, 1.0, 1), (0, 0.5, 0), (10, 0.25, 2), (10, 0.35, 4),
     (10, 1.0, 10)],
)  # fmt: skip
def test_a_fraction_is_rounded_half_to_even_and_one_at_least_where_there_are_two(count, fraction, chosen):
    names = [f"{n}.png" for n in range(count)]
    assert len(hold_out(names, fraction, seed=0)) == chosen
    assert hold_out([*names, *names], fraction, seed=0) == hold_out(names[::-1], fraction, seed=0) <= set(names)
