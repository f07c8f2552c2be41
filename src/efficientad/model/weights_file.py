"""A file of weights as bytes: its checksum and its header, read without torch.

safetensors: eight bytes with the length of a JSON object, the object, then the tensors' bytes
(https://github.com/huggingface/safetensors#format). Our header is JSON text under one key of the object's metadata.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from efficientad.errors import ModelError
from efficientad.model.checksum import UNSEALED, check_seal, seal

HEADER = "efficientad"  # the key of the metadata
_CHECKSUM = "checksum"  # the key in our header
_MARKER = rb"\"checksum\": \""  # as JSON text inside of JSON text has it
_REMEDY = "run the stage that wrote it again, or fetch it anew"

# Written before files stated a checksum: the teachers that come with the package, by the sha256 of the whole file.
SHIPPED_BEFORE = frozenset(
    {
        "f77b9b1fd9e0c96679a4bfecf2707e89578814bf6a79c2c00729da35e8c8c6a6",  # S
        "74c9f013443abaf4b86704c0a6d78692ab5df3d48e2573aefedacc2ac6a0e8d1",  # M
    }
)


class WeightsFile(NamedTuple):
    """A file of weights whose checksum is right."""

    content: bytes
    header: dict[str, Any]  # JSON values; the checksum is not among them
    checksum: str  # of a shipped teacher from before checksums the sha256 of the file


def write_header(header: dict[str, Any]) -> dict[str, str]:
    """Return the metadata of a file that `seal_weights` is to seal; ModelError for a value that JSON does not have."""
    try:
        text = json.dumps(header | {_CHECKSUM: UNSEALED}, sort_keys=True, allow_nan=False)
    except ValueError as error:
        raise ModelError(f"expected finite numbers in the header of weights, got {header}") from error
    return {HEADER: text}


def seal_weights(content: bytes) -> bytes:
    """Return the content of a safetensors file, its metadata from `write_header`, with its checksum."""
    return seal(content, _MARKER)


def read_weights_file(path: Path) -> WeightsFile:
    """Read a file of weights and check it; ModelError when there is none, it is damaged, or not of this project."""
    if not path.is_file():
        raise ModelError(f"expected weights at {path}, found no file; run the pipeline first (`dvc repro`)")
    content = path.read_bytes()
    if _MARKER not in content and (digest := hashlib.sha256(content).hexdigest()) in SHIPPED_BEFORE:
        checksum = digest
    else:
        checksum = check_seal(content, _MARKER, f"a safetensors file at {path}", _REMEDY)
    return WeightsFile(content, _read_header(content, path), checksum)


def _read_header(content: bytes, path: Path) -> dict[str, Any]:
    try:
        length = int.from_bytes(content[:8], "little")
        header = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][HEADER])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"expected weights written by this project at {path}, found another file") from error
    if not isinstance(header, dict):
        raise ModelError(f"expected names and values in the header of {path}, found {type(header).__name__}")
    header.pop(_CHECKSUM, None)
    return header
