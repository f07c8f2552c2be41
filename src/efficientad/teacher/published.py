"""Published weights, in either of two layouts, as a teacher of ours.

nelson1425/EfficientAD names a convolution by its place among the layers (0, 3, 6, 8), anomalib by its number (conv1,
conv2). Both normalise images by ImageNet's mean and standard deviation: the first where it loads images, the second at
the start of its network. Neither keeps them among the weights, and our detector normalises before its teacher, so that
the weights give the same features without a change. They were trained with padding and are used without it, by their
publishers as well.
"""

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from efficientad.errors import ModelError
from efficientad.model.pdn import TEACHER_CHANNELS, build_pdn
from efficientad.model.sizes import PDNSize
from efficientad.model.weights import save_weights


def convert_published(source: Path, member: str | None, path: Path, header: dict[str, Any]) -> Path:
    """Write the teacher of `header["size"]` from published weights to `path`, whole or not at all, and return `path`.

    `member` is the name of the weights in an archive, None where `source` holds them itself. Raises ModelError when
    they are damaged, hold more than tensors, or do not fit the size.
    """
    teacher = build_published(read_state(source, member), header["size"], source)
    save_weights(teacher, path, header)
    return path


def read_state(source: Path, member: str | None = None) -> dict[str, Tensor]:
    """Read a state dictionary; code in it is refused, not run."""
    try:
        content = source.read_bytes() if member is None else _read_member(source, member)
        state = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, ValueError, LookupError, UnpicklingError, zipfile.BadZipFile) as error:
        raise ModelError(f"expected tensors and nothing else in {source}: {error}; download it again") from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ModelError(f"expected names and tensors in {source}, found {type(state).__name__}")
    return dict(state)


def _read_member(source: Path, member: str) -> bytes:
    """Return the bytes of the one file of an archive that has the name `member`, in whatever folder."""
    with zipfile.ZipFile(source) as archive:
        names = [name for name in archive.namelist() if name.rsplit("/", 1)[-1] == member]
        if len(names) != 1:
            raise ModelError(f"expected one {member} in {source}, found {', '.join(archive.namelist())}")
        return archive.read(names[0])


def build_published(state: Mapping[str, Tensor], size: PDNSize, source: Path) -> nn.Sequential:
    """Build a teacher from weights in either layout; ModelError names what is missing, unknown or misfits."""
    teacher = build_pdn(size, TEACHER_CHANNELS)
    theirs = name_by_number(teacher) if any(name.startswith("conv") for name in state) else {}
    expected = {theirs.get(name, name): value for name, value in teacher.state_dict().items()}
    wrong = _list_differences(expected, state)
    if wrong:
        raise ModelError(f"expected the weights of a teacher of size {size} in {source}: {'; '.join(wrong)}")
    teacher.load_state_dict({name: state[theirs.get(name, name)] for name in teacher.state_dict()})
    return teacher.eval().requires_grad_(False)


def name_by_number(teacher: nn.Sequential) -> dict[str, str]:
    """Return anomalib's name of each tensor of ours.

    >>> name_by_number(build_pdn("S", 384))["3.weight"]
    'conv2.weight'
    """
    convolutions = [index for index, layer in enumerate(teacher) if isinstance(layer, nn.Conv2d)]
    return {
        f"{index}.{kind}": f"conv{number}.{kind}"
        for number, index in enumerate(convolutions, start=1)
        for kind in ("weight", "bias")
    }


def _list_differences(expected: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> list[str]:
    missing = [f"{name} is missing" for name in expected if name not in state]
    left_over = [f"{name} is unknown" for name in state if name not in expected]
    misfits = [
        f"{name} is {tuple(state[name].shape)}, not {tuple(value.shape)}"
        for name, value in expected.items()
        if name in state and state[name].shape != value.shape
    ]
    return [*missing, *left_over, *misfits]
