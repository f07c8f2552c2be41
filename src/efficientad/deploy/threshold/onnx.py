"""The verdict of an ONNX file, in its metadata and in its graph, without the package onnx.

Field numbers are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from efficientad.deploy.format.metadata import SECTION
from efficientad.deploy.format.model_file import read_model_file
from efficientad.deploy.format.names import ANOMALY_SCORE, DISPLAY_SCORE, IS_ANOMALOUS
from efficientad.deploy.format.protobuf import Field, join, read_fields, write_bytes, write_number
from efficientad.deploy.format.sealing import CHECKSUM, seal_onnx
from efficientad.errors import ModelError
from efficientad.model.checksum import UNSEALED

_GRAPH, _METADATA = 7, 14  # of ModelProto
_KEY, _VALUE = 1, 2  # of StringStringEntryProto
_NODE, _INITIALIZER = 1, 5  # of GraphProto
_INPUT, _OUTPUT, _OPERATION = 1, 2, 4  # of NodeProto
_TYPE, _NAME, _RAW, _FLOAT = 2, 8, 9, 1  # of TensorProto; its dims are left out: a scalar
_THRESHOLD, _SCALE = "station_threshold", "station_display_scale"


def edit_onnx(path: Path, metadata: Mapping[str, str], threshold: float, display_scale: float) -> bytes:
    """Return the file at `path` with other metadata, and with the threshold and the display scale in its graph.

    The operations stay, and get constants of their own: those that they had may be others', too. Raises ModelError as
    `read_model_file`, and where the graph does not end as `StationGraph` does.
    """
    kept = []
    for field in read_fields(read_model_file(path).content):
        if field.number == _GRAPH:
            kept.append(write_bytes(_GRAPH, _edit_graph(field.payload, path, threshold, display_scale)))
        elif field.number != _METADATA:
            kept.append(field)
    entries = (
        join([write_bytes(_KEY, f"{SECTION} {key}".encode()), write_bytes(_VALUE, value.encode())])
        for key, value in ({CHECKSUM: UNSEALED} | dict(metadata)).items()
    )
    return seal_onnx(join([*kept, *(write_bytes(_METADATA, entry) for entry in entries)]))


def _edit_graph(graph: bytes, path: Path, threshold: float, display_scale: float) -> bytes:
    fields = list(read_fields(graph))
    above, scaled = _find_operations([field.payload for field in fields if field.number == _NODE], path)
    replaced = {above: _THRESHOLD, scaled: _SCALE}
    edited = [
        write_bytes(_NODE, _replace_second_input(field.payload, replaced[field.payload]))
        if field.number == _NODE and field.payload in replaced
        else field
        for field in fields
    ]
    before = {_read_texts(node, _INPUT)[1] for node in replaced}
    used = {name for field in edited if field.number == _NODE for name in _read_texts(field.payload, _INPUT)}
    gone = before - used | {_THRESHOLD, _SCALE}
    values = ((_THRESHOLD, threshold), (_SCALE, display_scale))
    constants = [write_bytes(_INITIALIZER, _write_scalar(name, value)) for name, value in values]
    return join([*(field for field in edited if not _makes(field, gone)), *constants])


def _makes(field: Field, names: set[str]) -> bool:
    """Whether a field of a graph is a constant of one of these names."""
    if field.number == _INITIALIZER:
        return bool(names & set(_read_texts(field.payload, _NAME)))
    return field.number == _NODE and bool(names & set(_read_texts(field.payload, _OUTPUT)))


def _find_operations(nodes: list[bytes], path: Path) -> tuple[bytes, bytes]:
    """Return score - threshold and the division of it by the display scale, as `is_anomalous` is made of the first."""
    judged = {IS_ANOMALOUS}
    for node in reversed(nodes):  # which stand behind what they are made of
        if judged.intersection(_read_texts(node, _OUTPUT)):
            judged.update(_read_texts(node, _INPUT))
    above = [node for node in nodes if _is(node, "Sub", ANOMALY_SCORE) and _read_texts(node, _OUTPUT)[0] in judged]
    scaled = [node for node in nodes if len(above) == 1 and _is(node, "Div", _read_texts(above[0], _OUTPUT)[0])]
    if len(scaled) != 1:
        raise ModelError(
            f"expected {IS_ANOMALOUS} and {DISPLAY_SCORE} in {path} to be made of {ANOMALY_SCORE} by one subtraction "
            "and one division, found other operations; export it again"
        )
    return above[0], scaled[0]


def _is(node: bytes, operation: str, first_input: str) -> bool:
    return _read_texts(node, _OPERATION) == [operation] and _read_texts(node, _INPUT)[:1] == [first_input]


def _read_texts(message: bytes, number: int) -> list[str]:
    return [field.payload.decode() for field in read_fields(message) if field.number == number]


def _replace_second_input(node: bytes, name: str) -> bytes:
    fields = list(read_fields(node))
    second = [place for place, field in enumerate(fields) if field.number == _INPUT][1]
    fields[second] = write_bytes(_INPUT, name.encode())
    return join(fields)


def _write_scalar(name: str, value: float) -> bytes:
    raw = np.array(value, "<f4").tobytes()
    return join([write_number(_TYPE, _FLOAT), write_bytes(_NAME, name.encode()), write_bytes(_RAW, raw)])
