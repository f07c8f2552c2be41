"""The pictures of each case as files, and a table of which they are: the page of a detector is made of them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.data.images.encoding import encode_jpeg
from efficientad.data.images.resizing import resize_image
from efficientad.deploy.heat_map import fit_heat_scale
from efficientad.evaluation.test_split import TestSplit
from efficientad.pipeline.writing import write_bytes
from efficientad.reporting.cases import Cases
from efficientad.reporting.contact_sheet import draw_panels, list_rows
from efficientad.reporting.tables import write_rows

PANELS = ("image", "annotated", "heat_map", "marked")  # in the order of the contact sheet's columns
TABLE = "cases.csv"
LONGEST_SIDE_PX = 480


def write_case_pictures(folder: Path, cases: Cases, split: TestSplit, threshold: float) -> None:
    """Write cases.csv, `group,name` of each case in the sheet's order, and its pictures as NN_PANEL.jpg.

    NN counts the cases from 00. `annotated` is left out where no defect is annotated. The heat maps' scale is the
    contact sheet's.
    """
    rows = list(list_rows(cases))
    write_rows(folder / TABLE, ("group", "name"), ((group, split.names[index]) for group, index, _ in rows))
    scale = fit_heat_scale(threshold, np.stack([split.maps[index] for _, index, _ in rows]))
    for place, (_, index, _) in enumerate(rows):
        mask = split.masks[index]
        panels = draw_panels(split.images[index], mask, np.asarray(split.maps[index]), scale, threshold)
        for name, panel in zip(PANELS, panels, strict=True):
            if name != "annotated" or mask.any():
                write_bytes(locate_picture(folder, place, name), encode_jpeg(shrink(panel)))


def locate_picture(folder: Path, place: int, panel: str) -> Path:
    """Return the file of a case's picture.

    >>> locate_picture(Path("cases"), 3, "image").as_posix()
    'cases/03_image.jpg'
    """
    return folder / f"{place:02}_{panel}.jpg"


def shrink(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring RGB uint8 (H, W, 3) to at most 480 px a side, its shape kept; a smaller one stays as it is."""
    height, width = image.shape[:2]
    scale = min(1.0, LONGEST_SIDE_PX / max(height, width))
    return resize_image(image, (max(1, round(height * scale)), max(1, round(width * scale))))
