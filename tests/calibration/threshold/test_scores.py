import numpy as np
import pytest

from efficientad.calibration.threshold.scores import ScoreTable, choose_rows, read_scores, write_scores
from efficientad.errors import DataError

TABLE = ScoreTable(
    np.array(["a", 'b, "c"', "a", "a", "a"]),
    np.array(["good", "good", "brightness", "shift", "defect"]),
    np.array([0.1, 1 / 3, 1e-7, 0.2, 123456.7], np.float32),
)


def test_a_table_comes_back_bit_for_bit(tmp_path):
    for _ in range(2):  # of folders that are made, and of a file that is there
        write_scores(TABLE, tmp_path / "of/these/scores.csv")
    found = read_scores(tmp_path / "of/these/scores.csv")
    for one, other in zip(vars(found).values(), vars(TABLE).values(), strict=True):
        assert one.dtype.kind == other.dtype.kind
        np.testing.assert_array_equal(one, other)


def test_kinds_are_told_apart():
    assert TABLE.good.tolist() == TABLE.scores[:2].tolist()
    assert TABLE.good_parts.tolist() == ["a", 'b, "c"']
    assert TABLE.nuisance.tolist() == TABLE.scores[2:4].tolist()
    assert TABLE.defects.tolist() == TABLE.scores[4:].tolist()


@pytest.mark.parametrize(
    "text", [None, "", "part,kind,score\n", "image,kind,score\na,good,1\n", "part,kind,score\na,1\n"]
)
def test_another_file_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "scores.csv").write_text(text)
    with pytest.raises(DataError, match=r"expected a table of part, kind, score at .*run the stage `fit` again"):
        read_scores(tmp_path / "scores.csv")


def test_all_good_images_set_a_threshold_and_thirty_of_each_copy():
    kinds = np.repeat(["good", "brightness", "shift", "defect"], [100, 60, 60, 240])
    rows = choose_rows(kinds)
    assert rows.tolist() == [*range(100), *range(100, 130), *range(160, 190), *range(220, 250)]
