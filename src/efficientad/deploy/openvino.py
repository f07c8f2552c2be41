"""ONNX -> OpenVINO IR, and running it. The only file that imports openvino."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray

from efficientad.deploy.engine import ModelHeader
from efficientad.errors import ModelError

_SECTION = "efficientad"


def write_openvino(onnx_path: Path, header: ModelHeader, xml_path: Path, fp16: bool) -> None:
    """Convert an ONNX file to `xml_path` and its .bin; `fp16` halves the weights' size on disk.

    The header goes into the IR's rt_info. Both files have the same bytes on every conversion.
    """
    xml_path.parent.mkdir(parents=True, exist_ok=True)
    model = openvino.convert_model(onnx_path)
    for index, node in enumerate(model.get_ordered_ops()):
        if node.get_type_name() not in ("Parameter", "Result"):  # the converter counts through a process's life
            node.set_friendly_name(f"{node.get_type_name()}_{index}")
    for key, value in vars(header).items():
        model.set_rt_info(str(value), [_SECTION, key])
    openvino.save_model(model, xml_path, compress_to_fp16=fp16)


class OpenVINOEngine:
    """A detector in OpenVINO, on `device`.

    Computes in float32 unless told otherwise: left to itself OpenVINO computes in bfloat16 where the
    processor can, and its scores would differ from training's in the third digit. Raises ModelError when
    the file cannot be read.
    """

    def __init__(self, path: Path, device: str = "CPU", precision: str = "f32") -> None:
        core = openvino.Core()
        try:
            model = core.read_model(path)
        except RuntimeError as error:
            raise ModelError(f"expected an OpenVINO IR at {path}: {error}") from error
        keys = [field.name for field in fields(ModelHeader)]
        values = {
            key: model.get_rt_info([_SECTION, key]).astype(str) for key in keys if model.has_rt_info([_SECTION, key])
        }
        self.header = ModelHeader.parse(values, path)
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
        self.compiled = core.compile_model(model, device, settings)

    def run(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `Engine.run`."""
        result = self.compiled(np.ascontiguousarray(images))
        return result["anomaly_map"][:, 0].copy(), result["anomaly_score"].copy()
