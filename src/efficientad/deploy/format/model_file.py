"""An exported file, read whole and checked before any runtime sees it: what was checked is what is loaded."""

import re
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from efficientad.deploy.format.metadata import SECTION, parse_metadata
from efficientad.deploy.format.names import IR_SUFFIX, IR_WEIGHTS_SUFFIX
from efficientad.deploy.format.protobuf import Field, read_fields
from efficientad.deploy.format.sealing import IR_MARKER, ONNX_MARKER, WEIGHTS_BYTES
from efficientad.errors import ModelError
from efficientad.model.checksum import check_seal
from efficientad.model.header import ModelHeader

_REMEDY = "copy it anew, or export it again (`dvc repro export`)"
_LENGTH = re.compile(f'<{WEIGHTS_BYTES} value="([0-9]{{1,15}})" />'.encode())
_METADATA = 14  # of ModelProto
_KEY, _VALUE = 1, 2  # of StringStringEntryProto


class ModelFile(NamedTuple):
    """An exported model whose checksum is right."""

    path: Path
    content: bytes  # of the file
    weights: bytes  # of an IR those in the .bin beside it, without what a later threshold appended; else empty
    metadata: dict[str, str]  # all of it, as `describe_model` writes it
    checksum: str
    header: ModelHeader


def read_model_file(path: Path) -> ModelFile:
    """Read an IR or an ONNX file.

    Raises ModelError where it cannot be read, states no checksum or another than it has, holds no header, or one with
    impossible values.
    """
    content = _read_bytes(path, "a model")
    if path.suffix == IR_SUFFIX:
        what, weights = f"an OpenVINO IR at {path}", _read_weights(path, content)
        checksum = check_seal(content, IR_MARKER, what, _REMEDY, weights)
        metadata = _parse_ir(content, path)
    else:
        what, weights = f"an ONNX model at {path}", b""
        checksum = check_seal(content, ONNX_MARKER, what, _REMEDY)
        metadata = _parse_onnx(content, path)
    return ModelFile(path, content, weights, metadata, checksum, parse_metadata(metadata, path))


def _read_weights(path: Path, content: bytes) -> bytes:
    """Return as much of an IR's .bin as the IR says; nothing where it does not say: it has no checksum then either."""
    lengths = _LENGTH.findall(content)
    if len(lengths) != 1:
        return b""
    file, length = path.with_suffix(IR_WEIGHTS_SUFFIX), int(lengths[0])
    weights = _read_bytes(file, f"the weights of {path.name}")
    if len(weights) < length:
        raise ModelError(f"expected {length} bytes of weights in {file}, got {len(weights)}: cut short; {_REMEDY}")
    return weights[:length]


def _read_bytes(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"expected {what} at {path}, got {error.strerror}; {_REMEDY}") from error


def _parse_ir(content: bytes, path: Path) -> dict[str, str]:
    try:
        section = ElementTree.fromstring(content).find(f"rt_info/{SECTION}")
    except ElementTree.ParseError as error:
        raise ModelError(f"expected an OpenVINO IR at {path}, got {error}; {_REMEDY}") from error
    return {} if section is None else {entry.tag: entry.get("value", "") for entry in section}


def _parse_onnx(content: bytes, path: Path) -> dict[str, str]:
    try:
        entries = dict(_parse_entry(field) for field in read_fields(content) if field.number == _METADATA)
    except ValueError as error:
        raise ModelError(f"expected an ONNX model at {path}, got {error}; {_REMEDY}") from error
    return {key.removeprefix(f"{SECTION} "): value for key, value in entries.items()}


def _parse_entry(field: Field) -> tuple[str, str]:
    values = {inner.number: inner.payload.decode() for inner in read_fields(field.payload)}
    return values.get(_KEY, ""), values.get(_VALUE, "")
