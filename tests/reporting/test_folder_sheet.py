"""The contact sheet of a folder: what is on it, where, and that names cannot break it."""

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from efficientad.data.checking.check import check_folder
from efficientad.data.images.encoding import write_png
from efficientad.reporting.folder_sheet import (
    COLUMNS,
    GAP_PX,
    MARGIN_PX,
    NAME_PX,
    PANEL_PX,
    TITLE_PX,
    Panel,
    Section,
    draw_panel,
    list_sections,
    write_folder_sheet,
)

ROW = PANEL_PX + NAME_PX


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """20 good images, one of them dark, and two dents; grey noise, 40 x 80 px; one mask is inverted."""
    rng = np.random.default_rng(0)
    tmp_path = tmp_path_factory.mktemp("folder")
    for kind, count in (("good", 20), ("dent", 2), ("masks/dent", 2)):
        (tmp_path / "gear" / kind).mkdir(parents=True, exist_ok=True)
        for n in range(count):
            image = rng.integers(100, 140, (40, 80, 3), dtype=np.uint8)
            mask = np.zeros((40, 80), np.bool_)
            mask[10:20, 30:50] = True
            if kind == "good" and n == 7:
                image //= 4
            write_png(tmp_path / "gear" / kind / f"{n}.png", mask ^ bool(n) if "masks" in kind else image)
    return tmp_path / "gear"


@pytest.fixture(scope="module")
def checked(folder):
    return check_folder(folder, {0.05: 19}, 0.05)


@pytest.fixture(scope="module")
def path(checked, tmp_path_factory):
    path = tmp_path_factory.mktemp("out") / "new/sheet.png"
    write_folder_sheet(path, checked)
    return path


def read_panel(path, top, column):
    sheet = matplotlib.image.imread(path)[..., :3]
    left = MARGIN_PX + column * (PANEL_PX + GAP_PX)
    return np.rint(sheet[top : top + PANEL_PX, left : left + PANEL_PX] * 255).astype(np.uint8)


def test_odd_images_come_first_then_good_ones_then_defects(checked):
    sections = list_sections(checked)
    assert [section.title for section in sections] == ["odd: 2 of 2", "good: 16 of 20", "dent: 2 of 2"]
    assert [(panel.name, panel.note) for panel in sections[0].panels] == [
        ("good/7.png", "dark, low contrast"),
        ("dent/1.png", "mask of 94%"),
    ]
    assert [panel.note for panel in sections[2].panels] == ["mask 6.25%", "mask 93.75%"]


def test_panels_keep_their_shape_and_masks_are_outlined(path):
    sheet = matplotlib.image.imread(path)
    assert sheet.shape[1] == 2 * MARGIN_PX + COLUMNS * (PANEL_PX + GAP_PX) - GAP_PX
    assert sheet.shape[0] == 2 * MARGIN_PX + 3 * TITLE_PX + 4 * ROW
    dark = read_panel(path, MARGIN_PX + TITLE_PX, 0)
    assert (dark[: PANEL_PX // 4 - 1] == 235).all()  # 40 x 80 px leave a quarter above and below
    assert dark[PANEL_PX // 2, PANEL_PX // 2].max() < 40
    dent = read_panel(path, MARGIN_PX + 3 * TITLE_PX + 3 * ROW, 0)
    red = np.argwhere((dent == (255, 0, 0)).all(axis=-1))
    scale = PANEL_PX / 80
    expected = [PANEL_PX / 4 + 10 * scale, 30 * scale, PANEL_PX / 4 + 20 * scale, 50 * scale]
    assert np.abs(np.concatenate([red.min(axis=0), red.max(axis=0)]) - expected).max() <= 2


def test_the_same_bytes_again_but_for_an_image_that_is_gone(path, checked, folder, tmp_path):
    write_folder_sheet(tmp_path / "again.png", checked)
    assert (tmp_path / "again.png").read_bytes() == path.read_bytes()
    (folder / "good/7.png").rename(tmp_path / "7.png")
    assert (draw_panel(checked, "good/7.png") == 235).all()
    (tmp_path / "7.png").rename(folder / "good/7.png")


def test_names_are_written_as_they_are(checked, tmp_path, monkeypatch):
    """Neither as formulas, nor with letters that the font lacks, which would be a warning."""
    texts = []
    draw = Figure.text

    def note(figure, x, y, text, **options):
        texts.append(text)
        return draw(figure, x, y, text, **options)

    monkeypatch.setattr(Figure, "text", note)
    names = ("good/$x^{_$.png", "good/日本\x1b.png", f"good/{'long' * 20}.png")
    section = Section("names", tuple(Panel(name) for name in names))
    monkeypatch.setattr("efficientad.reporting.folder_sheet.list_sections", lambda _: [section])
    write_folder_sheet(tmp_path / "sheet.png", checked)
    assert {"good/$x^{_$.png", "good/???.png"} <= set(texts)
    assert max(map(len, texts)) < 30
