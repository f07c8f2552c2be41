"""Contact sheets: size, bytes, and what is drawn where."""

import re

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from efficientad.errors import MetricError
from efficientad.evaluation.outlines import compute_outline_ious
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
    ious = compute_outline_ious(maps, masks, THRESHOLD)
    return images, masks, maps, maps.max(axis=(1, 2)), labels, ious, [f"{index:03d}.png" for index in range(count)]


def write(path, split, threshold=THRESHOLD, **options):
    scores, labels, ious = split[3:6]
    cases = select_cases(scores, labels, ious, threshold, **options)
    write_contact_sheet(path, cases, *split, threshold)
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
    order = cases.worst + cases.worst_outlines + cases.borderline + cases.best
    for row, index in enumerate(order):
        assert has_colour(read_panel(path, row, 0), (128, 128, 128))
        assert has_colour(read_panel(path, row, 1), (0, 255, 255)) == (index == 1)
        assert has_colour(read_panel(path, row, 1), (0, 0, 0)) == (index != 1)  # the words "no mask"
        assert has_colour(read_panel(path, row, 3), (255, 0, 0)) == (index == 1)


def test_the_red_line_runs_at_half_of_a_peaks_height(tmp_path):
    """The map falls from 2 by 0.05 a pixel: 1 is reached 20 pixels from the peak, the threshold 30 from it."""
    images, masks, maps, scores, labels, ious, names = draw_split(height=PANEL_PX, width=PANEL_PX)
    steps = np.abs(np.arange(PANEL_PX) - 128)
    distances = np.maximum(steps[:, None], steps)
    maps[1] = 2 - 0.05 * distances
    write(tmp_path / "sheet.png", (images, masks, maps, scores, labels, ious, names), per_group=1)
    red = (read_panel(tmp_path / "sheet.png", 0, 3) == (255, 0, 0)).all(axis=-1)
    assert red.any()
    assert np.abs(distances[red] - 20).max() <= 2


def test_groups_and_outline_ious_are_written_on_their_rows(tmp_path, monkeypatch):
    images, masks, maps, scores, labels, ious, names = draw_split(count=5)
    masks[2:4, :10, :20] = True  # 200 px
    maps[2, :10, 10:30] = 1.0  # half of it, and as much beside it
    scores, labels[2:4] = maps.max(axis=(1, 2)), 1  # image 3 is missed
    ious = compute_outline_ious(maps, masks, THRESHOLD)
    texts = []
    draw = Figure.text

    def note(figure, x, y, text, **options):
        texts.append(text)
        return draw(figure, x, y, text, **options)

    monkeypatch.setattr(Figure, "text", note)
    write(tmp_path / "sheet.png", (images, masks, maps, scores, labels, ious, names), per_group=2)
    rows = [text for text in texts if ".png" in text]
    captions = [text for text in texts if re.search(r", \d$", text)]
    assert rows == [
        "003.png   score 0.1   WRONG: defect missed   IoU 0.00",
        "002.png   score 1   right: defect found   IoU 0.33",
        "001.png   score 2   right: defect found   IoU 1.00",
        "000.png   score 0.1   right: normal passed",
        "004.png   score 0.1   right: normal passed",
    ]
    assert captions == ["Wrong verdicts, worst first, 1"] + [
        f"{group}, {place}"
        for group in ("Worst outlines of defects found", "Nearest to the threshold")
        for place in (1, 2)
    ]


def test_the_longest_title_ends_before_its_caption(tmp_path, monkeypatch):
    extents = []
    draw = Figure.text

    def note(figure, *arguments, **options):
        text = draw(figure, *arguments, **options)
        extents.append((text.get_window_extent().x0, text.get_window_extent().x1, text.get_text()))
        return text

    monkeypatch.setattr(Figure, "text", note)
    images, masks, maps, scores, labels, ious, names = draw_split(count=3)
    scores[:] = -1.2345e-06  # all below the threshold: the defect is missed, and its title the longest
    names = ["a kind of defect with a long name/" + name for name in names]
    cases = Cases((1,), (1,), (1,), (1,))
    write_contact_sheet(tmp_path / "sheet.png", cases, images, masks, maps, scores, labels, ious, names, THRESHOLD)
    titles = [extent for extent in extents if ".png" in extent[2]]
    captions = [extent for extent in extents if re.search(r", \d$", extent[2])]
    assert len(titles) == len(captions) == 4
    for title, caption in zip(titles, captions, strict=True):
        assert title[1] + GAP_PX < caption[0], (title, caption)


@pytest.mark.parametrize("threshold", [THRESHOLD, -1.0])
def test_only_normal_images(tmp_path, threshold):
    path = tmp_path / "sheet.png"
    assert len(write(path, draw_split(anomalous=False), threshold, per_group=1)) == 2
    assert path.exists()


def test_no_case_is_an_error(tmp_path):
    with pytest.raises(MetricError, match="one case or more"):
        write_contact_sheet(tmp_path / "sheet.png", Cases((), (), (), ()), *draw_split(), THRESHOLD)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", range(7))
def test_sizes_that_differ_are_errors(tmp_path, place):
    split = list(draw_split())
    split[place] = split[place][:-1]
    with pytest.raises(MetricError, match="of the same size"):
        write_contact_sheet(tmp_path / "s.png", Cases((0,), (), (), ()), *split, THRESHOLD)
