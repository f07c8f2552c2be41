"""The verdict of an OpenVINO IR, in its metadata and in its graph."""

import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from efficientad.deploy.export.openvino import append_verdict, read_without_verdict, save_ir
from efficientad.deploy.format.names import IR_WEIGHTS_SUFFIX
from efficientad.deploy.format.sealing import seal_ir
from efficientad.model.header import ModelHeader

_CONSTANT = re.compile(r'(<data [^>]*?offset=")(\d+)(" size=")(\d+)(")')


def edit_ir(path: Path, header: ModelHeader, origin: Mapping[str, str]) -> dict[Path, bytes]:
    """Return what the IR's two files hold with another header: its .bin, then the .xml.

    origin: further metadata. The graph ends in the verdict of the header. The new .bin begins with the old one, so that
    the old .xml still fits it, checksum and all: whichever of the two is read between the two renames, the model is
    whole. Raises ModelError as `read_model_file`.
    """
    model = read_without_verdict(path)
    append_verdict(model, header)
    weights = path.with_suffix(IR_WEIGHTS_SUFFIX)
    with TemporaryDirectory() as folder:
        written = Path(folder) / path.name
        save_ir(model, header, written, fp16=False, further=origin)  # halved weights stay halved
        text, constants = written.read_text("utf-8"), written.with_suffix(IR_WEIGHTS_SUFFIX).read_bytes()
    text, constants = keep_offsets(text, constants, weights.read_bytes())
    return {weights: constants, path: seal_ir(text, constants)}


def keep_offsets(text: str, constants: bytes, old: bytes) -> tuple[str, bytes]:
    """Rewrite an IR's text for constants that begin with `old`; return both.

    A constant that `old` has at the same place is read from there, any other is appended.

    >>> keep_offsets('<data offset="0" size="2" /><data offset="2" size="1" />', b"abX", b"abc")
    ('<data offset="0" size="2" /><data offset="3" size="1" />', b'abcX')
    """
    appended = bytearray()

    def place(found: re.Match[str]) -> str:
        offset, size = int(found[2]), int(found[4])
        value = constants[offset : offset + size]
        if old[offset : offset + size] != value:
            offset = len(old) + len(appended)
            appended.extend(value)
        return f"{found[1]}{offset}{found[3]}{size}{found[5]}"

    return _CONSTANT.sub(place, text), old + bytes(appended)
