"""A calibrated detector -> the files that stations run."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from efficientad.data.defects.trial import Trial
from efficientad.data.prepared import Prepared
from efficientad.deploy.export.int8 import Allowed, Choice, refuse, write_int8
from efficientad.deploy.export.onnx import write_onnx
from efficientad.deploy.export.openvino import write_openvino
from efficientad.model.detector import Detector
from efficientad.model.header import ModelHeader
from efficientad.pipeline.params import ExportParams


def export_models(
    detector: Detector,
    header: ModelHeader,
    prepared: Prepared,
    trial: Trial,
    onnx: Path,
    locate_ir: Callable[[str], Path],
    params: ExportParams,
    fpr_limit: float,
) -> tuple[dict[str, Path], Choice | None]:
    """Write ONNX and an IR of each precision asked for; return the files by name, and how INT8 was chosen.

    trial: what INT8 is chosen on. onnx: the file to write; locate_ir: gives
    the file of a precision. Names are onnx_fp32 and openvino_PRECISION. Raises ParityError when INT8 costs too much
    accuracy and no fallback was asked for; with the fallback there is no openvino_int8.
    """
    write_onnx(detector, header, onnx)
    exported = {"onnx_fp32": onnx}
    for precision in params.precisions:
        if precision != "int8":
            write_openvino(onnx, header, locate_ir(precision), fp16=precision == "fp16")
            exported[f"openvino_{precision}"] = locate_ir(precision)
    if "int8" not in params.precisions:
        return exported, None
    choice = _export_int8(header, prepared, trial, locate_ir, params, fpr_limit)
    if choice.kept is not None:
        exported["openvino_int8"] = locate_ir("int8")
    return exported, choice


def _export_int8(
    header: ModelHeader,
    prepared: Prepared,
    trial: Trial,
    locate_ir: Callable[[str], Path],
    params: ExportParams,
    fpr_limit: float,
) -> Choice:
    train = prepared.indices("train")
    evenly = np.linspace(0, len(train) - 1, min(len(train), params.int8_images)).astype(int)
    allowed = Allowed(params.max_auroc_drop, params.max_au_pro_drop, fpr_limit)
    normals = prepared.images[train[evenly]]
    choice = write_int8(locate_ir("fp32"), header, locate_ir("int8"), normals, trial, allowed)
    if choice.kept is None:
        error = refuse(choice, allowed)
        if params.int8_fallback == "none":
            raise error
        print(f"warning: {error}")
    return choice
