"""A contact sheet: one row per case, from the image to the region that the detector marks."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from efficientad.data.arrays.rows import Rows
from efficientad.data.images.drawing import colour_map, outline
from efficientad.data.images.marking import mark_defects
from efficientad.deploy.heat_map import HeatScale, fit_heat_scale, overlay_heat_map
from efficientad.errors import MetricError
from efficientad.reporting.canvas import open_figure
from efficientad.reporting.cases import Cases, select_cases

__all__ = ["Cases", "select_cases", "write_contact_sheet"]

PANEL_PX = 256
GAP_PX = 8
MARGIN_PX = 16
HEADER_PX = 128
TITLE_PX = 46
COLUMNS = ("image", "annotated defect (cyan)", "heat map", "marked (red)")
NAME_LENGTH = 36
GROUPS = {
    "worst": "Wrong verdicts, worst first",
    "worst_outlines": "Worst outlines of defects found",
    "borderline": "Nearest to the threshold",
    "best": "Right verdicts, clearest first",
}
ANNOTATED = (0, 255, 255)
MARKED = (255, 0, 0)
RIGHT_COLOUR, WRONG_COLOUR = "#00664a", "#b00020"


def write_contact_sheet(
    path: Path,
    cases: Cases,
    images: Rows | NDArray[np.uint8],
    masks: Rows | NDArray[np.bool_],
    maps: Rows | NDArray[np.float32],
    scores: NDArray[Any],
    labels: NDArray[Any],
    outline_ious: NDArray[Any],
    names: Sequence[str],
    threshold: float,
) -> None:
    """Write the cases as PNG: image | annotated defect | heat map | what `mark_defects` marks.

    `images` (N, H, W, 3) RGB uint8, `masks` (N, H, W) bool, `maps` (N, H, W) float32, `scores`, `labels` of 0 or 1
    and `outline_ious` of `compute_outline_ious` (N,); only the images of the cases are read. Each row says whether
    the verdict, score > threshold, is right, and its outline IoU, unless that is NaN. The heat map scale is that of
    `fit_heat_scale`; a colour bar on the sheet shows it.

    Raises:
        MetricError: there is no case, or images, masks, maps, scores, labels, outline IoUs and names differ in size.
    """
    _check(cases, images, masks, maps, scores, labels, outline_ious, names)
    shown = [index for _, index, _ in list_rows(cases)]
    scale = fit_heat_scale(threshold, np.stack([maps[index] for index in shown]))
    height, width = maps.shape[1:]
    panel_height = max(1, round(PANEL_PX * height / width))
    sheet_width = 2 * MARGIN_PX + len(COLUMNS) * (PANEL_PX + GAP_PX) - GAP_PX
    sheet_height = HEADER_PX + len(shown) * (panel_height + TITLE_PX) + MARGIN_PX
    with open_figure(path, sheet_width, sheet_height, layout=False) as figure:
        _draw_header(figure, scale, threshold)
        top = HEADER_PX
        for group, index, place in list_rows(cases):
            right = bool(scores[index] > threshold) == bool(labels[index])
            title = _format_title(
                names[index], float(scores[index]), bool(labels[index]), right, float(outline_ious[index])
            )
            y = 1 - (top + TITLE_PX - 8) / sheet_height
            colour = RIGHT_COLOUR if right else WRONG_COLOUR
            figure.text(MARGIN_PX / sheet_width, y, title, color=colour, size=11, weight="bold")
            caption = f"{GROUPS[group]}, {place}"
            figure.text(1 - MARGIN_PX / sheet_width, y, caption, ha="right", color="#555555")
            panels = draw_panels(images[index], masks[index], np.asarray(maps[index]), scale, threshold)
            for column, panel in enumerate(panels):
                left = MARGIN_PX + column * (PANEL_PX + GAP_PX)
                axes = _place_axes(figure, left, top + TITLE_PX, PANEL_PX, panel_height)
                axes.imshow(panel, aspect="auto")
                if column == 1 and not masks[index].any():
                    _write_on(axes, "no mask" if labels[index] else "normal")
            top += TITLE_PX + panel_height


def list_rows(cases: Cases) -> Iterator[tuple[str, int, int]]:
    """Yield group, image index and place in the group, counted from 1, of each row."""
    for group in GROUPS:
        for place, index in enumerate(getattr(cases, group), start=1):
            yield group, index, place


def _format_title(name: str, score: float, anomalous: bool, right: bool, outline_iou: float) -> str:
    verdict = {
        (True, True): "right: defect found",
        (True, False): "WRONG: defect missed",
        (False, True): "right: normal passed",
        (False, False): "WRONG: false alarm",
    }[(anomalous, right)]
    short = name if len(name) <= NAME_LENGTH else f"…{name[1 - NAME_LENGTH :]}"
    outline_part = "" if math.isnan(outline_iou) else f"   IoU {outline_iou:.2f}"
    return f"{short}   score {score:.4g}   {verdict}{outline_part}"


def draw_panels(
    image: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    anomaly_map: NDArray[np.float32],
    scale: HeatScale,
    threshold: float,
) -> list[NDArray[np.uint8]]:
    """Return the four images of `COLUMNS`, each RGB uint8 (H, W, 3)."""
    image = np.asarray(image)
    thickness = max(1, round(2 * image.shape[1] / PANEL_PX))  # two pixels on the sheet
    return [
        image,
        outline(image, np.asarray(mask), colour=ANNOTATED, thickness=thickness),
        overlay_heat_map(image, anomaly_map, scale),
        outline(image, mark_defects(anomaly_map, threshold), colour=MARKED, thickness=thickness),
    ]


def _draw_header(figure: Figure, scale: HeatScale, threshold: float) -> None:
    """Draw the colour bar with its scale in words, and the names of the columns."""
    sheet_width, sheet_height = figure.get_size_inches() * figure.dpi
    bar = _place_axes(figure, MARGIN_PX, 44, 2 * PANEL_PX, 20)
    colours = colour_map(np.linspace(0, 1, 512, dtype=np.float32)[np.newaxis])
    bar.imshow(colours, aspect="auto", extent=(scale.low, scale.high, 0, 1))
    ticks = {f"{value:.4g}": value for value in (scale.low, scale.high)}
    if scale.low < threshold < scale.high:
        ticks[f"threshold {threshold:.4g}"] = threshold
        bar.axvline(threshold, color="white", linewidth=2)
    first, last = bar.set_xticks(list(ticks.values()), labels=list(ticks))[:2]
    first.label1.set_horizontalalignment("left")
    last.label1.set_horizontalalignment("right")
    where = "0 (normal level) to 2 × threshold" if threshold > 0 else "least to greatest value shown"
    figure.text(
        MARGIN_PX / sheet_width,
        1 - 32 / sheet_height,
        f"Heat map of every row: {where}; colours beyond the ends are the end colours",
        size=12,
    )
    for column, name in enumerate(COLUMNS):
        centre = MARGIN_PX + column * (PANEL_PX + GAP_PX) + PANEL_PX / 2
        figure.text(centre / sheet_width, 1 - (HEADER_PX - 12) / sheet_height, name, ha="center", size=12)


def _place_axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes without frame, grid and ticks at a place in pixels from the upper left corner."""
    sheet_width, sheet_height = figure.get_size_inches() * figure.dpi
    bottom = sheet_height - top - height
    axes = figure.add_axes((left / sheet_width, bottom / sheet_height, width / sheet_width, height / sheet_height))
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    return axes


def _write_on(axes: Axes, text: str) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8}
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", bbox=box)


def _check(cases: Cases, images: Any, masks: Any, maps: Any, *rest: Any) -> None:
    if len(cases) == 0:
        raise MetricError("Expected one case or more, got none: select cases from a split that has images.")
    sizes = [images.shape[:-1], masks.shape, maps.shape]
    if len(set(sizes)) > 1 or any(len(values) != len(images) for values in rest):
        raise MetricError(
            f"Expected images, masks and maps of the same size (N, H, W), got {sizes}, and scores, labels, outline "
            f"IoUs and names of length N, got {[len(values) for values in rest]}: take them from the same split."
        )
