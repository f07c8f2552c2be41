"""Replacing several files as one: all of them or none, whenever the machine stops.

The new files are written beside the old ones, and reach the disk before a journal that names them does. From then on
they count: what an interruption leaves is finished by the next start.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

_PART = ".new"


def replace_files(contents: Mapping[Path, bytes], journal: Path) -> None:
    """Replace files, each below the journal's folder, in the order of `contents`; OSError leaves all as they were.

    Only a file that cannot be renamed, on Windows because a program has it open, leaves work for `finish_replacing`.
    """
    try:
        for file, content in contents.items():
            _write(_name_part(file), content)
            shutil.copymode(file, _name_part(file))
        names = [file.relative_to(journal.parent).as_posix() for file in contents]
        _write(_name_part(journal), json.dumps(names).encode())
        _sync_folders({file.parent for file in contents})
        _name_part(journal).replace(journal)
    except BaseException:
        for file in (*contents, journal):
            _name_part(file).unlink(missing_ok=True)
        raise
    finish_replacing(journal)


def finish_replacing(journal: Path) -> bool:
    """Finish what a journal names; say whether there was one. OSError where a file cannot be renamed."""
    try:
        names = json.loads(journal.read_bytes())
    except FileNotFoundError:
        return False
    files = [journal.parent / name for name in names]
    _sync_folders({journal.parent})
    for file in files:
        if _name_part(file).exists():
            _name_part(file).replace(file)
    _sync_folders({file.parent for file in files})
    journal.unlink()
    return True


def _name_part(file: Path) -> Path:
    return file.with_name(f".{file.name}{_PART}")


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folders(folders: set[Path]) -> None:
    """Bring names to the disk; Windows has no such call, and keeps a rename by itself."""
    if os.name == "nt":
        return
    for folder in folders:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
