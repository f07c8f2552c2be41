"""An exported model with another value in its metadata, and sealed again."""

import re
import shutil
from pathlib import Path
from xml.sax.saxutils import quoteattr

from efficientad.deploy.format.sealing import seal_ir


def change_metadata(source: Path, folder: Path, key: str, value: str | None) -> Path:
    """Copy an IR into a folder with one key of its metadata set to another value, or without it; return its .xml."""
    quoted = "" if value is None else quoteattr(value, {'"': "&quot;"})  # in double quotes always
    line = "" if value is None else f"<{key} value={quoted} />"
    text, count = re.subn(f'<{key} value="[^"]*" />', lambda _: line, source.read_text("utf-8"))
    assert count == 1
    weights = source.with_suffix(".bin")
    (folder / "model.xml").write_bytes(seal_ir(text, weights.read_bytes()))
    shutil.copy(weights, folder / "model.bin")
    return folder / "model.xml"
