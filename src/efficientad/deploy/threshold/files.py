"""The files of a finished model whose threshold a station can set, and what they say about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from efficientad.deploy.format.files import list_precisions, locate_model, locate_onnx
from efficientad.deploy.format.metadata import describe_model, parse_metadata
from efficientad.deploy.format.names import IR_SUFFIX, ONNX_SUFFIX
from efficientad.deploy.threshold.ir import edit_ir, read_ir_metadata
from efficientad.deploy.threshold.onnx import edit_onnx, read_onnx_metadata
from efficientad.errors import ModelError
from efficientad.model.header import ModelHeader

_JOURNAL = ".threshold.json"
_TIME, _IMAGES = "threshold_set", "threshold_images"  # keys of the metadata


@dataclass(frozen=True)
class Origin:
    """When a station set a threshold, and from how many images; empty and 0 where the pipeline did."""

    time: str = ""  # ISO 8601, UTC
    images: int = 0

    @classmethod
    def parse(cls, metadata: Mapping[str, str]) -> "Origin":
        """Read `describe` back."""
        return cls(metadata.get(_TIME, ""), int(metadata.get(_IMAGES, 0)))

    def describe(self) -> dict[str, str]:
        """Return it as metadata."""
        return {_TIME: self.time, _IMAGES: str(self.images)}


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
    """Return what an exported file says about itself; ModelError where it is no calibrated detector."""
    metadata = read_ir_metadata(file) if file.suffix == IR_SUFFIX else read_onnx_metadata(file)
    return parse_metadata(metadata, file), Origin.parse(metadata)


def edit_model(file: Path, header: ModelHeader, origin: Origin) -> dict[Path, bytes]:
    """Return what an exported file holds with another header, in its metadata and in its graph; of an IR two files."""
    if file.suffix == IR_SUFFIX:
        return edit_ir(file, header, origin.describe())
    metadata = describe_model(header) | origin.describe()
    return {file: edit_onnx(file, metadata, header.threshold, header.display_scale)}
