"""Weights on disk: safetensors with one JSON header, never a pickle.

The header goes under a single key: safetensors writes several metadata keys in random order, and a file
that differs from run to run would make DVC rerun everything behind it.
"""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from efficientad.errors import ModelError
from efficientad.model.pdn import TEACHER_CHANNELS, build_pdn
from efficientad.model.weights_file import read_weights_file, seal_weights, write_header
from efficientad.pipeline.writing import write_bytes

_COPIES = 4  # of a file's bytes, more than reading its tensors takes


def save_weights(module: nn.Module, path: Path, header: dict[str, Any]) -> None:
    """Write a module's parameters and buffers, with `header` (JSON values) as metadata, and the file's checksum."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    write_bytes(path, seal_weights(save(state, write_header(header))))


def load_header(path: Path) -> dict[str, Any]:
    """Read the header of a file written by `save_weights`, and check the file; ModelError when it is not one."""
    return read_weights_file(path).header


def load_state(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the tensors and the header of a file written by `save_weights`; ModelError as `read_weights_file`."""
    file = read_weights_file(path)
    bytearray(_COPIES * len(file.content))  # raises MemoryError; safetensors, in Rust, would panic with a traceback
    try:
        return load(file.content), file.header
    except SafetensorError as error:
        raise ModelError(f"expected a safetensors file at {path}: {error}") from error


def load_weights(module: nn.Module, path: Path) -> dict[str, Any]:
    """Load a file into `module` in place and return its header; ModelError when they do not fit."""
    state, header = load_state(path)
    fill_module(module, state, path)
    return header


def fill_module(module: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Load the tensors of the file `path` into `module` in place; ModelError when they do not fit."""
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(f"weights in {path} do not fit: {error}") from error


def load_teacher(path: Path, size: str) -> nn.Sequential:
    """Build a teacher of `size` from its weights; ModelError when the file holds another size."""
    state, header = load_state(path)
    if header.get("size") != size:
        raise ModelError(f"expected a teacher of size {size} at {path}, found size {header.get('size')}")
    teacher = build_pdn(header["size"], TEACHER_CHANNELS)
    fill_module(teacher, state, path)
    return teacher.eval().requires_grad_(False)
