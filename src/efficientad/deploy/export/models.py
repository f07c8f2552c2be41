"""A calibrated detector -> the files that stations run."""

from pathlib import Path

import numpy as np

from efficientad.data.arrays.prepared import Prepared
from efficientad.data.arrays.rows import Rows
from efficientad.data.defects.trial import Trial
from efficientad.deploy.export.int8.choice import Allowed, Choice, Normals, refuse, write_int8
from efficientad.deploy.export.onnx import write_onnx
from efficientad.deploy.export.openvino import write_openvino
from efficientad.deploy.format.files import locate_ir, locate_onnx
from efficientad.model.detector import Detector
from efficientad.model.header import ModelHeader
from efficientad.pipeline.params import ExportParams

ONNX_NAME = "onnx_fp32"
_BANK_IMAGES = 2000  # at most, that banks of eight-bit features are taken from; 288 of 512 px take 19 s on two cores


def export_models(
    detector: Detector,
    header: ModelHeader,
    prepared: Prepared,
    trial: Trial,
    folder: Path,
    params: ExportParams,
    fpr_limit: float,
) -> tuple[dict[str, Path], Choice | None]:
    """Write ONNX and an IR of each precision asked for; return the files by name, and how INT8 was chosen.

    trial: what INT8 is chosen on. folder: for the files, see `deploy/format/files.py`.

    Names are `ONNX_NAME` and those of `name_ir`. Raises ParityError when INT8 costs too much accuracy or drifts too far
    and no fallback was asked for; with the fallback there is no INT8 among the files.
    """
    onnx = locate_onnx(folder)
    write_onnx(detector, header, onnx)
    exported = {ONNX_NAME: onnx}
    for precision in params.precisions:
        if precision != "int8":
            exported[name_ir(precision)] = locate_ir(folder, precision)
            write_openvino(onnx, header, locate_ir(folder, precision), fp16=precision == "fp16")
    if "int8" not in params.precisions:
        return exported, None
    choice = _export_int8(header, prepared, trial, folder, params, fpr_limit)
    if choice.kept is not None:
        exported[name_ir("int8")] = locate_ir(folder, "int8")
    return exported, choice


def name_ir(precision: str) -> str:
    """Return the name of an IR among the exported models, such as openvino_fp32."""
    return f"openvino_{precision}"


def _export_int8(
    header: ModelHeader,
    prepared: Prepared,
    trial: Trial,
    folder: Path,
    params: ExportParams,
    fpr_limit: float,
) -> Choice:
    ranges, banks = (_choose_evenly(prepared, count) for count in (params.int8_images, _BANK_IMAGES))
    normals = Normals(np.stack(list(ranges)), banks)
    allowed = Allowed(
        params.max_auroc_drop, params.max_au_pro_drop, params.max_int8_verdict_flips, params.max_int8_score_drift,
        fpr_limit,
    )  # fmt: skip
    choice = write_int8(locate_ir(folder, "fp32"), header, locate_ir(folder, "int8"), normals, trial, allowed)
    if choice.kept is None:
        error = refuse(choice, allowed)
        if params.int8_fallback == "none":
            raise error
        print(f"warning: {error}")
    return choice


def _choose_evenly(prepared: Prepared, count: int) -> Rows:
    """Return `count` training images, or all there are, evenly from the first to the last; none is read yet."""
    train = prepared.indices("train")
    places = np.linspace(0, len(train) - 1, min(len(train), count)).astype(int)
    return Rows(prepared.images).select(train[places])
