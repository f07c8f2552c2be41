"""Where an exported file states its checksum; see `model/checksum.py`. cpp/src/checksum.cpp reads an IR's."""

import re

from efficientad.deploy.format.metadata import SECTION
from efficientad.model.checksum import UNSEALED, seal

CHECKSUM, WEIGHTS_BYTES = "checksum", "weights_bytes"  # keys of the metadata; the second of an IR alone
UNSEALED_METADATA = {CHECKSUM: UNSEALED, WEIGHTS_BYTES: "0"}  # of an IR that `seal_ir` is to seal

IR_MARKER = f'<{CHECKSUM} value="'.encode()
ONNX_MARKER = f"{SECTION} {CHECKSUM}".encode() + b"\x12\x40"  # key, then a value (field 2) of 64 bytes

_VALUES = re.compile(f'<({CHECKSUM}|{WEIGHTS_BYTES}) value="[0-9a-f]*"')


def seal_ir(text: str, weights: bytes) -> bytes:
    """Return the XML of an IR with the checksum of itself and of its .bin.

    text: has `UNSEALED_METADATA`, or what a former call left in its place. weights: what the .bin holds; what is
    appended to it later counts for nothing.
    """
    values = {CHECKSUM: UNSEALED, WEIGHTS_BYTES: str(len(weights))}
    blank = _VALUES.sub(lambda found: f'<{found[1]} value="{values[found[1]]}"', text)
    return seal(blank.encode(), IR_MARKER, weights)


def seal_onnx(content: bytes) -> bytes:
    """Return an ONNX file with its checksum; its metadata has `CHECKSUM` with any 64 digits."""
    return seal(content, ONNX_MARKER)
