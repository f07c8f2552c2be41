"""Weights on disk: safetensors with one JSON header, never a pickle.

The header goes under a single key: safetensors writes several metadata keys in random order, and a file
that differs from run to run would make DVC rerun everything behind it.
"""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import nn

from efficientad.errors import ModelError
from efficientad.model.pdn import TEACHER_CHANNELS, build_pdn
from efficientad.pipeline.writing import write_bytes

_HEADER = "efficientad"


def save_weights(module: nn.Module, path: Path, header: dict[str, Any]) -> None:
    """Write a module's parameters and buffers, with `header` (JSON values) as metadata."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    write_bytes(path, save(state, metadata={_HEADER: json.dumps(header, sort_keys=True)}))


def load_header(path: Path) -> dict[str, Any]:
    """Read the header of a file written by `save_weights`; ModelError when it is not one."""
    if not path.is_file():
        raise ModelError(f"expected weights at {path}, found no file; run the pipeline first (`dvc repro`)")
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get(_HEADER)
    except SafetensorError as error:
        raise ModelError(f"expected a safetensors file at {path}: {error}") from error
    if header is None:
        raise ModelError(f"expected weights written by this project at {path}, found another safetensors file")
    parsed: dict[str, Any] = json.loads(header)
    return parsed


def load_weights(module: nn.Module, path: Path) -> dict[str, Any]:
    """Load a file into `module` in place and return its header; ModelError when they do not fit."""
    header = load_header(path)
    try:
        module.load_state_dict(load_file(path))
    except RuntimeError as error:
        raise ModelError(f"weights in {path} do not fit: {error}") from error
    return header


def load_teacher(path: Path, size: str) -> nn.Sequential:
    """Build a teacher of `size` from its weights; ModelError when the file holds another size."""
    header = load_header(path)
    if header.get("size") != size:
        raise ModelError(f"expected a teacher of size {size} at {path}, found size {header.get('size')}")
    teacher = build_pdn(header["size"], TEACHER_CHANNELS)
    load_weights(teacher, path)
    return teacher.eval().requires_grad_(False)
