"""Checksums of files, and git's id of a folder."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Progress = Callable[[int, int | None], None]
"""`progress(done, total or None)` in bytes, called after each chunk."""

Phase = Callable[[str], Progress | None]
"""`phase(label)` begins a phase of the work and returns what shows its progress."""

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Checksum:
    """What a file's bytes must give; `blob_id` is the content's name in a git repository (`git hash-object`)."""

    kind: Literal["sha256", "md5", "blob_id"]
    value: str

    def __str__(self) -> str:
        return f"{'git hash-object' if self.kind == 'blob_id' else self.kind} {self.value}"


def compute_checksum(path: Path, kind: str, progress: Progress | None = None) -> str:
    """Return the checksum of a file's bytes, in lower case: "sha256", "md5", or "blob_id", git's SHA-1 of a blob."""
    size = path.stat().st_size
    digest = _begin_git(b"blob", size) if kind == "blob_id" else hashlib.new(kind)
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, size)
    return digest.hexdigest()


def matches(path: Path, checksum: Checksum, progress: Progress | None = None) -> bool:
    """Return whether the file has the checksum."""
    return compute_checksum(path, checksum.kind, progress) == checksum.value.lower()


def compute_tree_id(folder: Path) -> str:
    """Return git's id of a folder of plain files: SHA-1 of its entries' modes, names and ids in git's order.

    It names the content whatever archive it came in, and is what `git rev-parse COMMIT^{tree}` prints.
    """
    entries = []
    for path in folder.iterdir():
        if path.is_dir():
            entries.append((path.name.encode() + b"/", b"40000", compute_tree_id(path)))
        else:
            entries.append((path.name.encode(), b"100644", compute_checksum(path, "blob_id")))
    body = b"".join(
        mode + b" " + name.removesuffix(b"/") + b"\0" + bytes.fromhex(identity)
        for name, mode, identity in sorted(entries)
    )
    digest = _begin_git(b"tree", len(body))
    digest.update(body)
    return digest.hexdigest()


def _begin_git(kind: bytes, size: int) -> "hashlib._Hash":
    """Begin the name of an object in a git repository; that git chose SHA-1 is not for us to change."""
    return hashlib.sha1(b"%s %d\0" % (kind, size), usedforsecurity=False)
