"""What a detector's page is made of, as the stages wrote it."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from efficientad.data.arrays.prepared import PreparedRow
from efficientad.deploy.format.model_file import read_model_file
from efficientad.errors import DataError
from efficientad.evaluation.curves import Curve, ProCurve
from efficientad.model.header import ModelHeader
from efficientad.reporting.case_pictures import PANELS, TABLE, locate_picture
from efficientad.reporting.tables import CLASS_NAMES, SCORE_COLUMNS


@dataclass(frozen=True)
class JudgedImage:
    """A test image: what it shows, and what the detector says. outline_iou: NaN where no defect is annotated."""

    name: str
    defect: str
    is_anomalous: bool
    is_alarm: bool
    score: float
    outline_iou: float


@dataclass(frozen=True)
class CasePictures:
    """The pictures of a case as JPEG files, by panel, and the group of the contact sheet that it belongs to."""

    group: str
    name: str
    files: dict[str, Path]


@dataclass(frozen=True)
class Stages:
    """The metrics that stages wrote as JSON, and the limits that params.yaml asks for."""

    fit: dict[str, Any]
    calibrate: dict[str, Any]
    evaluate: dict[str, Any]
    export: dict[str, Any]
    near_duplicates: dict[str, Any]
    fpr_limit: float
    asked_rate: float  # the false-alarm rate


@dataclass(frozen=True)
class Sources:
    """All that a page shows. Curves are None where the test images do not allow them (see `measure`)."""

    name: str  # of the detector, such as L/washer/0
    stages: Stages
    rows: Sequence[PreparedRow]
    left_out: Sequence[str]
    images: Sequence[JudgedImage]
    cases: Sequence[CasePictures]
    roc: Curve | None
    pro: ProCurve | None
    headers: dict[str, ModelHeader]  # of the OpenVINO models, by precision
    detector_md5: str


def read_images(path: Path) -> list[JudgedImage]:
    """Read what `write_scores_csv` wrote; DataError where it is another table."""
    return [
        JudgedImage(
            row["name"], row["defect"], row["label"] == CLASS_NAMES[1], row["verdict"] == CLASS_NAMES[1],
            float(row["score"]), float(row["outline_iou"] or "nan"),
        )
        for row in read_rows(path, SCORE_COLUMNS)
    ]  # fmt: skip


def read_cases(folder: Path) -> list[CasePictures]:
    """Find what `write_case_pictures` wrote."""
    cases = []
    for place, row in enumerate(read_rows(folder / TABLE, ("group", "name"))):
        files = {panel: locate_picture(folder, place, panel) for panel in PANELS}
        cases.append(CasePictures(row["group"], row["name"], {p: file for p, file in files.items() if file.is_file()}))
    return cases


def read_roc(path: Path) -> Curve | None:
    """Read the table of a ROC curve; None where it has no rows."""
    columns = _read_columns(path, tuple(Curve.__dataclass_fields__))
    return Curve(**columns) if len(columns["thresholds"]) else None


def read_pro(path: Path) -> ProCurve | None:
    """Read the table of a PRO curve; None where it has no rows."""
    columns = _read_columns(path, tuple(ProCurve.__dataclass_fields__))
    return ProCurve(**columns) if len(columns["thresholds"]) else None


def read_headers(folder: Path) -> dict[str, ModelHeader]:
    """Check the OpenVINO models PRECISION/1/model.xml in a folder and return their headers, by precision."""
    return {path.parts[-3]: read_model_file(path).header for path in sorted(folder.glob("*/1/*.xml"))}


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Read a CSV table; DataError where it is missing or has other columns."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"expected a table at {path}: {error}; run the stage `evaluate` again") from error
    if tuple(reader.fieldnames or ()) != tuple(columns):
        raise DataError(
            f"expected the columns {', '.join(columns)} in {path}, got {', '.join(reader.fieldnames or ())}; "
            "run the stage `evaluate` again"
        )
    return rows


def _read_columns(path: Path, names: Sequence[str]) -> dict[str, Any]:
    rows = read_rows(path, names)
    return {name: np.array([float(row[name]) for row in rows]) for name in names}
