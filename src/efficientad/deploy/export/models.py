"""A calibrated detector -> the files that stations run."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.data.defects.trial import Trial, paint_trial
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
    photographs: NDArray[np.uint8],
    onnx: Path,
    locate_ir: Callable[[str], Path],
    params: ExportParams,
    fpr_limit: float,
) -> tuple[dict[str, Path], Choice | None]:
    """Write ONNX and an IR of each precision asked for; return the files by name, and how INT8 was chosen.

    photographs: (P, S, S, 3) uint8, from which synthetic defects are filled. onnx: the file to write; locate_ir: gives
    the file of a precision. Names are onnx_fp32 and openvino_PRECISION. Raises ParityError when INT8 costs too much
    accuracy and no fallback was asked for; with the fallback there is no openvino_int8.
    """
    write_onnx(detector, header, onnx)
    exported = {"onnx_fp32": onnx}
    choice = None
    for precision in params.precisions:
        path = locate_ir(precision)
        if precision == "int8":
            trial = paint_trial(prepared.images[prepared.indices("validation")], photographs)
            choice = _export_int8(detector, header, prepared, trial, path, params, fpr_limit)
            if choice.kept is None:
                continue
        else:
            write_openvino(onnx, header, path, fp16=precision == "fp16")
        exported[f"openvino_{precision}"] = path
    return exported, choice


def _export_int8(
    detector: Detector,
    header: ModelHeader,
    prepared: Prepared,
    trial: Trial,
    path: Path,
    params: ExportParams,
    fpr_limit: float,
) -> Choice:
    def write_float(of: ModelHeader, xml: Path) -> None:
        write_onnx(detector, of, xml.with_suffix(".onnx"))
        write_openvino(xml.with_suffix(".onnx"), of, xml, fp16=False)

    train = prepared.indices("train")
    evenly = np.linspace(0, len(train) - 1, min(len(train), params.int8_images)).astype(int)
    allowed = Allowed(params.max_auroc_drop, params.max_au_pro_drop, fpr_limit)
    choice = write_int8(write_float, header, path, prepared.images[train[evenly]], trial, allowed)
    if choice.kept is None:
        error = refuse(choice, allowed)
        if params.int8_fallback == "none":
            raise error
        print(f"warning: {error}")
    return choice
