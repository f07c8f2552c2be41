"""The model files of a detector: how accurate each is, and how far from the trained one."""

from dataclasses import dataclass
from typing import Any

from efficientad.reporting.page.sources import Sources

NAMES = {
    "torch_fp32": "trained (PyTorch)", "onnx_fp32": "ONNX", "openvino_fp32": "OpenVINO FP32",
    "openvino_fp16": "OpenVINO FP16", "openvino_int8": "OpenVINO INT8",
}  # fmt: skip


@dataclass(frozen=True)
class Precision:
    """A model file on the images of the comparison; None where a value does not exist.

    threshold: in the file; INT8 has one of its own. map_difference: the largest to the trained model's maps.
    other_verdicts: how many images get another verdict than from the trained model.
    """

    name: str
    megabytes: float | None
    image_auroc: float | None
    au_pro: float | None
    outline_iou: float | None
    threshold: float | None
    map_difference: float | None
    other_verdicts: int | None


def list_precisions(sources: Sources) -> list[Precision]:
    """Return the models that the stage export compared, the trained one first."""
    return [describe_precision(name, values, sources) for name, values in sources.stages.export["models"].items()]


def describe_precision(name: str, values: dict[str, Any], sources: Sources) -> Precision:
    """Join what export measured of a model with the threshold in its file."""
    header = sources.headers.get(name.removeprefix("openvino_"))
    is_float_copy = name in ("torch_fp32", "onnx_fp32")  # whose threshold is the calibrated one
    calibrated = sources.stages.calibrate["threshold"]["value"]
    return Precision(
        name=NAMES.get(name, name),
        megabytes=values.get("megabytes"),
        image_auroc=values.get("image_auroc"),
        au_pro=values.get("au_pro"),
        outline_iou=values.get("outline_iou"),
        threshold=calibrated if is_float_copy or header is None else header.threshold,
        map_difference=values.get("max_map_difference"),
        other_verdicts=values.get("verdict_flips"),
    )
