"""The cases' pictures as files."""

import csv

import cv2
import numpy as np
import pytest
from tiny_page import SIDE, THRESHOLD, draw_split

from efficientad.reporting.case_pictures import LONGEST_SIDE_PX, shrink, write_case_pictures
from efficientad.reporting.cases import Cases

CASES = Cases(worst=(20, 3), worst_outlines=(21,), borderline=(0,), best=(26,))


def test_every_case_has_its_row_and_its_pictures(tmp_path):
    write_case_pictures(tmp_path / "new", CASES, draw_split(), THRESHOLD)
    with (tmp_path / "new/cases.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [
        "scratch/0.png", "good/03.png", "scratch/1.png", "good/00.png", "stain <&>/0.png",
    ]  # fmt: skip
    assert [row["group"] for row in rows] == ["worst", "worst", "worst_outlines", "borderline", "best"]
    names = {path.name for path in (tmp_path / "new").glob("*.jpg")}
    assert {name for name in names if "annotated" in name} == {"00_annotated.jpg", "02_annotated.jpg"}
    assert len(names) == 5 * 3 + 2
    marked = cv2.imread(str(tmp_path / "new/02_marked.jpg"))
    assert marked.shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize(("shape", "expected"), [((600, 1200), (240, 480)), ((100, 480), (100, 480)), ((9, 7), (9, 7))])
def test_pictures_are_at_most_480_px_and_keep_their_shape(shape, expected):
    assert LONGEST_SIDE_PX == 480
    assert shrink(np.zeros((*shape, 3), np.uint8)).shape == (*expected, 3)
