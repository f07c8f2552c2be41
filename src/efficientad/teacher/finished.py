"""A teacher that is finished and needs no distillation: shipped, published, or of another run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from efficientad.errors import ModelError
from efficientad.model.sizes import PDNSize, Size
from efficientad.model.weights import load_header, load_teacher
from efficientad.pipeline.params import TeacherParams
from efficientad.teacher.lite_weights import load_efficientnet_lite
from efficientad.teacher.shipped import locate_shipped_teacher

BACKBONE = "efficientnet_lite0"  # of size L, which compares its features as they are


def load_finished_teacher(size: Size, params: TeacherParams) -> tuple[nn.Module, dict[str, Any]]:
    """Return the teacher that `params` name, with its header; of size L the backbone, whatever they name.

    Raises ModelError where there are no such weights.
    """
    if size == "L":
        return load_efficientnet_lite(0), {"size": size, "source": "package", "backbone": BACKBONE}
    path = locate_finished_teacher(size, params)
    return load_teacher(path, size), load_header(path)


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

    A backbone that is its own teacher has none.

    >>> describe_error({"held_out_mse": 0.4184})
    '0.418 (1 = knows nothing)'
    >>> describe_error({}), describe_error({"source": "package"})
    ('unknown', 'none: it is the backbone')
    """
    if header.get("source") == "package":
        return "none: it is the backbone"
    error = header.get("held_out_mse")
    return "unknown" if error is None else f"{error:.3f} (1 = knows nothing)"
