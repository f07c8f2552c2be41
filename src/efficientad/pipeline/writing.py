"""Every result is written here: a file is there as a whole or not at all, whenever a process dies or the power fails.

What is written goes to a hidden file beside it, from there to the disk, and only then takes its name. A killed process
leaves that hidden file; who writes the same result again replaces it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path, shared: bool = False, durable: bool = True) -> Iterator[Path]:
    """Yield the path of a new file; at the end of the block it reaches the disk and takes the place of `path`.

    Missing folders are made. After an error the old file is as it was, and the new one is gone. `shared`: several
    processes may write `path` at once; each then writes a file of its own, and the last one stays. Not `durable`:
    nobody waits for the disk, so that a loss of power may leave a cut file; for what can be made again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part" if shared else f".{path.name}.part")
    try:
        yield part
        if durable:
            sync_file(part)
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    if durable:
        sync_folder(path.parent)


def write_bytes(path: Path, payload: bytes, shared: bool = False, durable: bool = True) -> None:
    """Write a file as `replacing` does."""
    with replacing(path, shared, durable) as part:
        part.write_bytes(payload)


def write_text(path: Path, text: str, shared: bool = False) -> None:
    """Write a file in UTF-8, its line ends as they are in `text`; names that are no UTF-8 keep their bytes."""
    write_bytes(path, text.encode("utf-8", "surrogateescape"), shared)


def sync_file(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk; Windows has no such call, and keeps a rename by itself."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
