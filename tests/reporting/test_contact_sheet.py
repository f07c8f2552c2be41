"""Contact sheets: size, bytes, and what is drawn where."""

import matplotlib.image
import numpy as np
import pytest

from efficientad.errors import MetricError
from efficientad.reporting.contact_sheet import (
    GAP_PX,
    HEADER_PX,
    MARGIN_PX,
    PANEL_PX,
    TITLE_PX,
    Cases,
    select_cases,
    write_contact_sheet,
)

THRESHOLD = 0.5


def draw_split(count=3, height=64, width=64, anomalous=True):
    """Grey images; image 1 has a defect, a mask and a map that finds it, unless all are normal."""
    images = np.full((count, height, width, 3), 128, np.uint8)
    masks = np.zeros((count, height, width), bool)
    maps = np.full((count, height, width), 0.1, np.float32)
    labels = np.zeros(count, int)
    if anomalous:
        masks[1, 20:40, 20:40] = True
        maps[1][masks[1]] = 2.0
        labels[1] = 1
    return images, masks, maps, maps.max(axis=(1, 2)), labels, [f"{index:03d}.png" for index in range(count)]


def write(path, split, threshold=THRESHOLD, **options):
    images, masks, maps, scores, labels, names = split
    cases = select_cases(scores, labels, threshold, **options)
    write_contact_sheet(path, cases, images, masks, maps, scores, labels, names, threshold)
    return cases


def read_panel(path, row, column, panel_height=PANEL_PX):
    """Return one image of the sheet as RGB uint8."""
    sheet = matplotlib.image.imread(path)[..., :3]
    top = HEADER_PX + TITLE_PX + row * (TITLE_PX + panel_height)
    left = MARGIN_PX + column * (PANEL_PX + GAP_PX)
    return np.rint(sheet[top : top + panel_height, left : left + PANEL_PX] * 255).astype(np.uint8)


def has_colour(panel, colour):
    return bool((panel == np.array(colour, np.uint8)).all(axis=-1).any())


@pytest.mark.parametrize(("height", "width", "panel_height"), [(64, 64, 256), (32, 64, 128), (96, 64, 384)])
def test_size(tmp_path, height, width, panel_height):
    path = tmp_path / "new folder" / "sheet.png"
    cases = write(path, draw_split(height=height, width=width))
    expected_width = 2 * MARGIN_PX + 4 * PANEL_PX + 3 * GAP_PX
    expected_height = HEADER_PX + len(cases) * (TITLE_PX + panel_height) + MARGIN_PX
    assert matplotlib.image.imread(path).shape[:2] == (expected_height, expected_width)


def test_same_bytes_again(tmp_path):
    write(tmp_path / "one.png", draw_split())
    write(tmp_path / "two.png", draw_split())
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_outlines_are_on_the_anomalous_row_alone(tmp_path):
    split = draw_split()
    path = tmp_path / "sheet.png"
    cases = write(path, split)
    order = cases.worst + cases.borderline + cases.best
    for row, index in enumerate(order):
        assert has_colour(read_panel(path, row, 0), (128, 128, 128))
        assert has_colour(read_panel(path, row, 1), (0, 255, 255)) == (index == 1)
        assert has_colour(read_panel(path, row, 1), (0, 0, 0)) == (index != 1)  # the words "no mask"
        assert has_colour(read_panel(path, row, 3), (255, 0, 0)) == (index == 1)


@pytest.mark.parametrize("threshold", [THRESHOLD, -1.0])
def test_only_normal_images(tmp_path, threshold):
    path = tmp_path / "sheet.png"
    assert len(write(path, draw_split(anomalous=False), threshold, per_group=1)) == 2
    assert path.exists()


def test_no_case_is_an_error(tmp_path):
    images, masks, maps, scores, labels, names = draw_split()
    with pytest.raises(MetricError, match="one case or more"):
        write_contact_sheet(
            tmp_path / "sheet.png", Cases((), (), ()), images, masks, maps, scores, labels, names, THRESHOLD
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", range(6))
def test_sizes_that_differ_are_errors(tmp_path, place):
    split = list(draw_split())
    split[place] = split[place][:-1]
    images, masks, maps, scores, labels, names = split
    with pytest.raises(MetricError, match="of the same size"):
        write_contact_sheet(
            tmp_path / "s.png", Cases((0,), (), ()), images, masks, maps, scores, labels, names, THRESHOLD
        )
