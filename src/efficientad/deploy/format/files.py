"""Where a model's exported files lie, and which of them a user means by a path."""

from pathlib import Path

from efficientad.deploy.format.names import IR_SUFFIX, IR_WEIGHTS_SUFFIX, ONNX_SUFFIX, WEIGHTS_SUFFIX
from efficientad.errors import ModelError

_ONNX = f"detector{ONNX_SUFFIX}"
_IR = f"model{IR_SUFFIX}"
_REPOSITORY = "openvino"  # folder of an IR for each precision
_FIRST_VERSION = 1


def locate_onnx(folder: Path) -> Path:
    """Return the exported ONNX file in the folder of a detector's models."""
    return folder / _ONNX


def locate_ir(folder: Path, precision: str) -> Path:
    """Return the exported OpenVINO IR of a precision, such as "fp32", in the folder of a detector's models.

    OpenVINO Model Server and Triton ask for NAME/VERSION/model.xml: a precision is their name, its version 1.
    """
    return folder / _REPOSITORY / precision / str(_FIRST_VERSION) / _IR


def list_precisions(folder: Path) -> list[Path]:
    """Return the folder of each precision's versions in the folder of a detector's models, by name; [] without IR."""
    return sorted(file for file in (folder / _REPOSITORY).glob("*") if list(file.glob(f"*/{_IR}")))


def locate_model(path: Path) -> Path:
    """Return the model's file: `path`, or the one in a folder.

    A folder is one of the pipeline that holds `openvino/fp32`, or one of versions, such as `openvino/int8`, whose
    largest number is taken. Raises ModelError when there is no such file.
    """
    if path.is_dir():
        folder = path / _REPOSITORY / "fp32" if (path / _REPOSITORY).is_dir() else path
        names = [file.parent.name for file in folder.glob(f"*/{_IR}")]
        version = max((int(name) for name in names if name.isdecimal()), default=_FIRST_VERSION)
        path = folder / str(version) / _IR
    if not path.is_file():
        raise ModelError(
            f"expected a model at {path}, found none; name a {IR_SUFFIX}, {ONNX_SUFFIX} or {WEIGHTS_SUFFIX} file"
        )
    return path


def list_files(model: Path) -> list[Path]:
    """Return a model's file, and of an IR the file of its weights behind it."""
    return [model, model.with_suffix(IR_WEIGHTS_SUFFIX)] if model.suffix == IR_SUFFIX else [model]
