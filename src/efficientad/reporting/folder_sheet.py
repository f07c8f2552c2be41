"""A contact sheet of a folder before any training: some of each kind, and everything that is odd, by name."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.font_manager import findfont, get_font
from numpy.typing import NDArray

from efficientad.data.arrays.samples import GOOD
from efficientad.data.checking.check import Check, group_by_kind
from efficientad.data.checking.mask_findings import list_odd_masks
from efficientad.data.checking.measuring import Measured
from efficientad.data.images.drawing import outline
from efficientad.data.images.reading import read_image, read_mask
from efficientad.data.images.resizing import resize_image, resize_mask
from efficientad.errors import DataError
from efficientad.reporting.canvas import open_figure

PANEL_PX, GAP_PX, MARGIN_PX, TITLE_PX, NAME_PX = 176, 8, 16, 34, 30
COLUMNS = 8
MOST_KINDS, MOST_ODD, MOST_GROUPS, _OF_GROUP = 24, 24, 8, 4
MARKED = (255, 0, 0)
_NAME_LENGTH = 27
_BACKGROUND, _EMPTY = 255, 235


@dataclass(frozen=True)
class Panel:
    """An image on the sheet; `note` stands below its name."""

    name: str
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A title and what stands below it."""

    title: str
    panels: tuple[Panel, ...]

    @property
    def rows(self) -> int:
        """How many rows its panels take."""
        return -(-len(self.panels) // COLUMNS)

    @property
    def height(self) -> int:
        """In px."""
        return TITLE_PX + self.rows * (PANEL_PX + NAME_PX)


def write_folder_sheet(path: Path, check: Check) -> None:
    """Write the sheet of a check as PNG: first what is odd, then good images, then each kind with its masks outlined.

    Images are read again, a few at a time; one that cannot be read any more is an empty panel.
    """
    sections = list_sections(check)
    width = 2 * MARGIN_PX + COLUMNS * (PANEL_PX + GAP_PX) - GAP_PX
    height = 2 * MARGIN_PX + sum(section.height for section in sections)
    with open_figure(path, width, height, layout=False) as figure:
        canvas = np.full((height, width, 3), _BACKGROUND, np.uint8)
        for section, top in _place(sections):
            title = _replace_unknown(section.title)
            figure.text(MARGIN_PX / width, 1 - (top + 22) / height, title, weight="bold", parse_math=False)
            for panel, row, left in _place_panels(section, top):
                canvas[row : row + PANEL_PX, left : left + PANEL_PX] = draw_panel(check, panel.name)
                for line, text in enumerate((_shorten(panel.name), panel.note)):
                    y = 1 - (row + PANEL_PX + 11 + 12 * line) / height
                    figure.text(left / width, y, _replace_unknown(text), size=8, parse_math=False)
        figure.figimage(canvas, resize=False)


def list_sections(check: Check) -> list[Section]:
    """Return what to show, a part's images side by side and samples spread evenly over a kind."""
    kinds = group_by_kind(check.measured)
    sections = [_list_odd(check), _list_groups(check)]
    for name, entries in sorted(kinds.items(), key=lambda kind: kind[1][0].sample.label)[:MOST_KINDS]:
        readable = [entry for entry in entries if entry.facts is not None]
        count = (2 if entries[0].sample.defect == GOOD else 1) * COLUMNS
        places = np.unique(np.linspace(0, len(readable) - 1, min(count, len(readable))).round().astype(int))
        panels = tuple(Panel(readable[place].sample.name, _describe(readable[place])) for place in places)
        sections.append(Section(f"{name}: {len(panels)} of {len(entries)}", panels))
    return [section for section in sections if section.panels]


def draw_panel(check: Check, name: str) -> NDArray[np.uint8]:
    """Return an image (PANEL_PX, PANEL_PX, 3) with its masks outlined, its shape kept."""
    panel = np.full((PANEL_PX, PANEL_PX, 3), _EMPTY, np.uint8)
    contents = check.contents
    try:
        image = read_image(contents.root / name)
    except DataError:
        return panel
    scale = PANEL_PX / max(image.shape[:2])
    height, width = (max(1, round(scale * side)) for side in image.shape[:2])
    small = resize_image(image, (height, width))
    for mask in contents.masks.get(name, ()):
        with suppress(DataError):
            marked = read_mask(contents.root / mask, contents.least_level)
            small = outline(small, resize_mask(marked, (height, width)), MARKED)
    top, left = (PANEL_PX - height) // 2, (PANEL_PX - width) // 2
    panel[top : top + height, left : left + width] = small
    return panel


def _list_odd(check: Check) -> Section:
    notes: dict[str, list[str]] = {}
    for odd in check.odd:
        notes.setdefault(odd.name, []).append(odd.word)
    for name, word in list_odd_masks(check.measured):
        notes.setdefault(name, []).append(word)
    panels = tuple(Panel(name, ", ".join(words)) for name, words in notes.items())
    return Section(f"odd: {min(len(panels), MOST_ODD)} of {len(panels)}", panels[:MOST_ODD])


def _list_groups(check: Check) -> Section:
    groups = check.copies.alike
    title = f"several images of one part, as it seems: {min(len(groups), MOST_GROUPS)} of {len(groups)} parts"
    shown = enumerate(groups[:MOST_GROUPS], start=1)
    return Section(title, tuple(Panel(name, f"part {number}") for number, names in shown for name in names[:_OF_GROUP]))


def _place(sections: Sequence[Section]) -> Iterator[tuple[Section, int]]:
    top = MARGIN_PX
    for section in sections:
        yield section, top
        top += section.height


def _place_panels(section: Section, top: int) -> Iterator[tuple[Panel, int, int]]:
    """Yield each panel with its first row and column on the sheet."""
    for index, panel in enumerate(section.panels):
        row, column = divmod(index, COLUMNS)
        yield panel, top + TITLE_PX + row * (PANEL_PX + NAME_PX), MARGIN_PX + column * (PANEL_PX + GAP_PX)


def _describe(entry: Measured) -> str:
    """Return what a look at the image does not show."""
    if not entry.sample.label:
        return ""
    if entry.mask_error:
        return "mask unreadable"
    return "no mask" if entry.mask is None else f"mask {entry.mask.share:.2%}"


def _shorten(name: str) -> str:
    """Return the end of a name, where names differ."""
    return name if len(name) <= _NAME_LENGTH else f"…{name[1 - _NAME_LENGTH :]}"


def _replace_unknown(text: str) -> str:
    """Put a question mark for what the font of the sheet does not have."""
    font = get_font(findfont("DejaVu Sans"))
    return "".join(letter if letter.isprintable() and font.get_char_index(ord(letter)) else "?" for letter in text)
