"""A teacher that is finished and needs no distillation: shipped, published, or of another run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from efficientad.errors import ModelError
from efficientad.model.sizes import PDNSize
from efficientad.model.weights import load_header
from efficientad.pipeline.params import TeacherParams
from efficientad.teacher.shipped import locate_shipped_teacher


def locate_finished_teacher(size: PDNSize, params: TeacherParams) -> Path:
    """Return the weights that `params` name; ModelError where a published teacher was not downloaded."""
    if params.path is None:
        return locate_shipped_teacher(size)
    path = Path(params.path)
    return locate_published_teacher(size, path) if params.source == "published" else path


def locate_published_teacher(size: PDNSize, path: Path) -> Path:
    """Return what `efficientad download teacher` wrote: `path` itself, or its file of a size where it is a folder."""
    file = path if path.suffix == ".safetensors" else path / f"{size}.safetensors"
    if not file.is_file():
        raise ModelError(
            f"expected a published teacher of size {size} at {file}, found no file; fetch it first: "
            f"efficientad download teacher --size {size} --output {file.parent}"
        )
    if "published" not in load_header(file):
        raise ModelError(f"expected a published teacher at {file}, found another one; set teacher.source: file for it")
    return file


def describe_error(header: Mapping[str, Any]) -> str:
    """Return what a teacher's header says about its error on held-out images; published ones do not tell it.

    >>> describe_error({"held_out_mse": 0.4184})
    '0.418 (1 = knows nothing)'
    >>> describe_error({})
    'unknown'
    """
    error = header.get("held_out_mse")
    return "unknown" if error is None else f"{error:.3f} (1 = knows nothing)"
