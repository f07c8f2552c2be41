"""The files of a finished model whose threshold a station can set, and what they say about it."""

from pathlib import Path

from efficientad.deploy.format.files import list_precisions, locate_model, locate_onnx
from efficientad.deploy.format.metadata import describe_model
from efficientad.deploy.format.model_file import read_model_file
from efficientad.deploy.format.names import IR_SUFFIX, ONNX_SUFFIX
from efficientad.deploy.format.origin import Origin
from efficientad.deploy.threshold.ir import edit_ir
from efficientad.deploy.threshold.onnx import edit_onnx
from efficientad.errors import ModelError
from efficientad.model.header import ModelHeader

_JOURNAL = ".threshold.json"


def list_models(path: Path) -> list[Path]:
    """Return the ONNX file and the IR of every precision of a model's folder, or the one file that `path` names.

    Raises ModelError where there is none, and for a file of another kind.
    """
    onnx = [locate_onnx(path)] if locate_onnx(path).is_file() else []
    models = onnx + [locate_model(folder) for folder in list_precisions(path)] or [locate_model(path)]
    if models[0].suffix not in (IR_SUFFIX, ONNX_SUFFIX):
        raise ModelError(
            f"expected a folder of the pipeline, a {IR_SUFFIX} or a {ONNX_SUFFIX} file, got {path}: the threshold of "
            "weights for torch is that of the stage calibrate"
        )
    return models


def locate_journal(path: Path) -> Path:
    """Return where the journal of replacing a model's files lies; see `replace_files`."""
    return (path if path.is_dir() else path.parent) / _JOURNAL


def read_header(file: Path) -> tuple[ModelHeader, Origin]:
    """Check an exported file and return what it says about itself; ModelError as `read_model_file`."""
    read = read_model_file(file)
    return read.header, Origin.parse(read.metadata)


def edit_model(file: Path, header: ModelHeader, origin: Origin) -> dict[Path, bytes]:
    """Return what an exported file holds with another header, in its metadata and in its graph; of an IR two files."""
    if file.suffix == IR_SUFFIX:
        return edit_ir(file, header, origin.describe())
    metadata = describe_model(header) | origin.describe()
    return {file: edit_onnx(file, metadata, header.threshold, header.display_scale)}
