import numpy as np
import pytest

from efficientad.data.arrays.row_file import continue_array, replace_array, save_array
from efficientad.data.arrays.rows import read_row
from efficientad.errors import DataError

ARRAY = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)


def fill(path, rows=range(4)):
    with replace_array(path, np.uint8, ARRAY.shape) as file:
        for index in rows:
            file[index] = ARRAY[index]


def test_the_file_is_numpys_own_byte_for_byte(tmp_path):
    fill(tmp_path / "rows.npy")
    save_array(tmp_path / "saved.npy", ARRAY)
    np.save(tmp_path / "numpy.npy", ARRAY)
    wanted = (tmp_path / "numpy.npy").read_bytes()
    assert (tmp_path / "rows.npy").read_bytes() == (tmp_path / "saved.npy").read_bytes() == wanted


def test_rows_come_in_any_order_and_one_that_never_came_is_zero(tmp_path):
    fill(tmp_path / "rows.npy", (3, 0))
    read = np.load(tmp_path / "rows.npy")
    assert np.array_equal(read[[0, 3]], ARRAY[[0, 3]])
    assert not read[1:3].any()


@pytest.mark.parametrize("index", [-1, 4])
def test_a_row_outside_of_the_array_is_refused(tmp_path, index):
    with pytest.raises(IndexError), replace_array(tmp_path / "rows.npy", np.uint8, ARRAY.shape) as file:
        file[index] = 0
    assert not list(tmp_path.iterdir())


def test_what_an_error_interrupts_leaves_the_old_array(tmp_path):
    fill(tmp_path / "rows.npy")
    with pytest.raises(KeyboardInterrupt), replace_array(tmp_path / "rows.npy", np.uint8, ARRAY.shape) as file:
        file[0] = 9
        raise KeyboardInterrupt
    assert np.array_equal(np.load(tmp_path / "rows.npy"), ARRAY)


def test_a_full_disk_is_an_error_and_not_the_end_of_the_process(tmp_path):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="File too large"), replace_array(tmp_path / "r", np.uint8, (9, 99)) as file:
            file[8] = 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_work_in_progress_is_gone_on_with_if_it_is_whole(tmp_path):
    path = tmp_path / "rows.npy"
    for is_known in (False, True):
        with continue_array(path, np.uint8, ARRAY.shape) as (file, is_whole):
            assert is_whole == is_known
            file[int(is_known)] = 5
    assert np.load(path)[:2].tolist() == np.full((2, 2, 3), 5).tolist()


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: b"", lambda content: content + b"0",
                                    lambda content: b"x" + content[1:]])  # fmt: skip
def test_damaged_work_in_progress_begins_anew(tmp_path, damage):
    path = tmp_path / "rows.npy"
    fill(path)
    path.write_bytes(damage(path.read_bytes()))
    with continue_array(path, np.uint8, ARRAY.shape) as (_, is_whole):
        assert not is_whole
    assert np.array_equal(np.load(path), np.zeros_like(ARRAY))


def test_a_row_of_a_file_that_was_cut_short_is_refused(tmp_path):
    path = tmp_path / "rows.npy"
    fill(path)
    mapped = np.load(path, mmap_mode="r")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)
    assert np.array_equal(read_row(mapped, 2), ARRAY[2])
    with pytest.raises(DataError, match="row 3 is cut short; run the stage that writes it again"):
        read_row(mapped, 3)
