"""OpenVINO's folder of compiled models, of which it keeps no checksum: a bit that flips there would move scores unseen.

Beside each compiled model lies the sha256 that it had when it was written.
"""

import hashlib
from pathlib import Path

from efficientad.pipeline.writing import write_text

_BLOBS = "*.blob"
_SUFFIX = ".sha256"


def drop_damaged(folder: Path) -> None:
    """Remove the compiled models that are not what was written, or of which that is not known: they are made anew."""
    for blob in folder.glob(_BLOBS):
        if not _locate(blob).is_file() or _locate(blob).read_text("utf-8") != _compute(blob):
            blob.unlink(missing_ok=True)
            _locate(blob).unlink(missing_ok=True)


def note_checksums(folder: Path) -> None:
    """Write the checksum of each compiled model that has none."""
    for blob in folder.glob(_BLOBS):
        if not _locate(blob).is_file():
            write_text(_locate(blob), _compute(blob))


def _locate(blob: Path) -> Path:
    return blob.with_name(f"{blob.name}{_SUFFIX}")


def _compute(blob: Path) -> str:
    with blob.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
