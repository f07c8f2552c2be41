"""ONNX -> OpenVINO IR."""

from pathlib import Path

import openvino

from efficientad.deploy.metadata import SECTION, describe_model
from efficientad.model.header import ModelHeader


def write_openvino(onnx_path: Path, header: ModelHeader, xml_path: Path, fp16: bool) -> None:
    """Convert an ONNX file to `xml_path` and its .bin; `fp16` halves the weights' size on disk.

    The header goes into the IR's rt_info. Both files have the same bytes on every conversion.
    """
    model = openvino.convert_model(onnx_path)
    save_ir(model, header, xml_path, fp16)


def save_ir(model: openvino.Model, header: ModelHeader, xml_path: Path, fp16: bool) -> None:
    """Write a model with its header to `xml_path` and its .bin; see `write_openvino`."""
    xml_path.parent.mkdir(parents=True, exist_ok=True)
    for index, node in enumerate(model.get_ordered_ops()):
        if node.get_type_name() not in ("Parameter", "Result"):  # converters count through a process's life
            node.set_friendly_name(f"{node.get_type_name()}_{index}")
    for key, value in describe_model(header).items():
        model.set_rt_info(value, [SECTION, key])
    openvino.save_model(model, xml_path, compress_to_fp16=fp16)
