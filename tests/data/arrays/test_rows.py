import numpy as np
import pytest

from efficientad.data.arrays.rows import Rows, read_row

ARRAY = np.arange(5 * 3 * 2, dtype=np.uint8).reshape(5, 3, 2)


@pytest.fixture(params=["memory", "disk", "slice of a map"])
def array(request, tmp_path):
    if request.param == "memory":
        return ARRAY
    padded = np.concatenate([ARRAY[:1], ARRAY]) if request.param == "slice of a map" else ARRAY
    np.save(tmp_path / "array.npy", padded)
    mapped = np.load(tmp_path / "array.npy", mmap_mode="r")
    return mapped[1:] if request.param == "slice of a map" else mapped


def test_a_row_is_the_arrays(array):
    for index in range(5):
        assert np.array_equal(read_row(array, index), ARRAY[index])


def test_rows_are_a_sequence_in_the_given_order(array):
    rows = Rows(array, np.array([4, 0, 2]))
    assert (len(rows), rows.shape) == (3, (3, 3, 2))
    assert np.array_equal(np.stack([*rows]), ARRAY[[4, 0, 2]])
    assert np.array_equal(np.stack([*rows[1:]]), ARRAY[[0, 2]])
    assert np.array_equal(np.stack([*rows.select(np.array([2, 0]))]), ARRAY[[2, 4]])
    assert np.array_equal(np.stack([*Rows(array)]), ARRAY)
    with pytest.raises(IndexError):
        rows[3]
