"""ONNX -> OpenVINO IR, and the part of a graph that turns a score into a verdict."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import numpy as np
import openvino
from openvino import opset13 as opset

from efficientad.deploy.engines.core import open_core
from efficientad.deploy.format.metadata import SECTION, describe_model
from efficientad.deploy.format.model_file import read_model_file
from efficientad.deploy.format.names import ANOMALY_MAP, ANOMALY_SCORE, DISPLAY_SCORE, IR_WEIGHTS_SUFFIX, IS_ANOMALOUS
from efficientad.deploy.format.sealing import UNSEALED_METADATA, seal_ir
from efficientad.errors import ModelError
from efficientad.model.header import ModelHeader
from efficientad.pipeline.writing import write_bytes


def write_openvino(onnx_path: Path, header: ModelHeader, xml_path: Path, fp16: bool) -> None:
    """Convert an ONNX file to `xml_path` and its .bin; `fp16` halves the weights' size on disk.

    The header goes into the IR's rt_info. Both files have the same bytes on every conversion.
    """
    model = openvino.convert_model(onnx_path)
    save_ir(model, header, xml_path, fp16)


def save_ir(
    model: openvino.Model,
    header: ModelHeader,
    xml_path: Path,
    fp16: bool,
    further: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write a model with its header and their checksum to `xml_path` and its .bin; see `write_openvino`.

    further: metadata beside the header's. Raises ModelError on a full disk.
    """
    for index, node in enumerate(model.get_ordered_ops()):
        if node.get_type_name() not in ("Parameter", "Result"):  # converters count through a process's life
            node.set_friendly_name(f"{node.get_type_name()}_{index}")
    for key, value in (describe_model(header) | UNSEALED_METADATA | dict(further)).items():
        model.set_rt_info(value, [SECTION, key])
    with TemporaryDirectory() as folder:
        written = Path(folder) / "model.xml"
        try:
            openvino.save_model(model, written, compress_to_fp16=fp16)
        except RuntimeError as error:
            raise ModelError(
                f"expected room for {xml_path.name} in the folder of temporary files, {folder}, OpenVINO says {error}; "
                "free some, or name another folder in TMPDIR"
            ) from error
        weights = written.with_suffix(IR_WEIGHTS_SUFFIX).read_bytes()
        write_bytes(xml_path.with_suffix(IR_WEIGHTS_SUFFIX), weights)
        write_bytes(xml_path, seal_ir(written.read_text("utf-8"), weights))


def read_without_verdict(xml_path: Path) -> openvino.Model:
    """Return the graph of an exported IR up to `anomaly_map` and `anomaly_score`; the file stays as it is.

    Raises ModelError as `read_model_file`.
    """
    file = read_model_file(xml_path)
    model = open_core().read_model(file.content, file.weights)
    results = [model.output(name).get_node() for name in (ANOMALY_MAP, ANOMALY_SCORE)]
    return openvino.Model(results, model.get_parameters(), model.get_friendly_name())


def append_verdict(model: openvino.Model, header: ModelHeader) -> None:
    """Add the outputs `display_score` and `is_anomalous` behind `anomaly_score`, in place.

    They are those of `StationGraph`, by the header's threshold and display scale.
    """
    anomaly_map, score = (model.output(name).get_node().input_value(0) for name in (ANOMALY_MAP, ANOMALY_SCORE))
    above = opset.subtract(score, np.float32(header.threshold))
    is_finite = opset.less(opset.abs(opset.reduce_sum(anomaly_map, np.array([1, 2, 3]))), np.float32(np.inf))
    scaled = opset.divide(above, np.float32(header.display_scale))
    clamped = opset.clamp(opset.add(scaled, np.float32(0.5)), 0.0, 1.0)
    display_score = opset.select(is_finite, clamped, np.float32(1.0))
    is_normal = opset.logical_and(opset.less_equal(above, np.float32(0.0)), is_finite)
    is_anomalous = opset.logical_not(is_normal)
    model.add_results([_make_result(display_score, DISPLAY_SCORE), _make_result(is_anomalous, IS_ANOMALOUS)])


def _make_result(node: openvino.Node, name: str) -> openvino.Node:
    node.output(0).get_tensor().set_names({name})
    result = opset.result(node)
    result.set_friendly_name(name)
    return result
