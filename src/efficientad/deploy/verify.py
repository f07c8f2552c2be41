"""What a model's file says of itself, checked; without any runtime, so that every station can ask."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from efficientad.deploy.format.model_file import read_model_file
from efficientad.deploy.format.names import IR_SUFFIX, ONNX_SUFFIX, WEIGHTS_SUFFIX
from efficientad.deploy.format.origin import Origin
from efficientad.errors import ModelError
from efficientad.model.header import ModelHeader
from efficientad.model.weights_file import read_weights_file

_SUFFIXES = (IR_SUFFIX, ONNX_SUFFIX, WEIGHTS_SUFFIX)


def find_models(paths: Sequence[Path]) -> list[Path]:
    """Return the files of models that paths name, or that lie below the folders among them, each once, in order.

    Raises ModelError where there is none, and for a file of another kind.
    """
    models: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
        else:
            found = [path] if path.suffix in _SUFFIXES and path.is_file() else []
        if not found:
            raise ModelError(
                f"expected a model at {path}, found none; name a {', '.join(_SUFFIXES)} file, or a folder with some"
            )
        models |= dict.fromkeys(found)
    return list(models)


def describe_file(path: Path) -> dict[str, Any]:
    """Check a model's file and return what it says of itself, as JSON values.

    model, kind (detector, or weights: no threshold yet), precision of its numbers on disk, checksum, size, and of a
    detector image_size, category, version, code_hash, training_data, threshold, false_alarm_rate, origin. Raises
    ModelError as `read_model_file` and `read_weights_file`.
    """
    if path.suffix == WEIGHTS_SUFFIX:
        file = read_weights_file(path)
        about = {"model": str(path), "precision": _name_precision(file.content), "checksum": file.checksum}
        if "threshold" not in file.header:
            return about | {"kind": "weights", "size": file.header.get("size")}
        return about | _describe(ModelHeader.parse(file.header, path), Origin())
    model = read_model_file(path)
    about = {"model": str(path), "precision": _name_precision(model.content), "checksum": model.checksum}
    return about | _describe(model.header, Origin.parse(model.metadata))


def _describe(header: ModelHeader, origin: Origin) -> dict[str, Any]:
    values = header.describe()
    names = ("size", "image_size", "category", "version", "code_hash", "training_data", "threshold", "false_alarm_rate")
    return {"kind": "detector"} | {name: values[name] for name in names} | {"origin": str(origin)}


def _name_precision(content: bytes) -> str:
    """Return int8, fp16 or fp32: of an IR by its operations and constants, of weights by their types."""
    if b'type="FakeQuantize"' in content:
        return "int8"
    return "fp16" if b'element_type="f16"' in content or b'"dtype":"F16"' in content else "fp32"
