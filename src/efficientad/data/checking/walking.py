"""What lies below a folder, whatever it is: a walk that no link, device or permission stops."""

import stat
from dataclasses import dataclass
from pathlib import Path

from efficientad.data.files.walk import leads_back
from efficientad.errors import DataError

SPLIT_FOLDERS = ("train", "validation", "test")


@dataclass(frozen=True)
class LeftOut:
    """A file or folder that the pipeline passes over, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Found:
    """What a walk found, as sorted posix names relative to its folder: regular files, and what no one can read."""

    files: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def walk_folder(root: Path) -> Found:
    """List all visible files below a folder, as the providers would: links to files count, links to folders do not.

    A class folder itself, such as `good` or `test/crack`, may be a link. Hidden files and folders are skipped. Raises
    DataError when there is no such folder.
    """
    if not root.is_dir():
        raise DataError(f"expected a folder of images at {root}, found none; check the path")
    files: list[str] = []
    left_out: list[LeftOut] = []
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            entries = sorted(entry.name for entry in (root / folder).iterdir())
        except OSError as error:
            left_out.append(LeftOut(folder or ".", f"cannot be opened ({error.strerror})"))
            continue
        for entry in entries:
            name = f"{folder}/{entry}" if folder else entry
            if entry.startswith("."):
                continue
            kind = _classify(root / name, name)
            if kind == "folder":
                waiting.append(name)
            elif kind == "file":
                files.append(name)
            else:
                left_out.append(LeftOut(name, kind))
    return Found(tuple(sorted(files)), tuple(sorted(left_out, key=lambda entry: entry.name)))


def _classify(path: Path, name: str) -> str:
    """Return "file", "folder", or the reason why it is neither."""
    try:
        mode, is_link = path.stat().st_mode, path.is_symlink()
    except OSError as error:
        return "link that leads nowhere" if path.is_symlink() else f"cannot be opened ({error.strerror})"
    if stat.S_ISREG(mode):
        return "file"
    if not stat.S_ISDIR(mode):
        return "no regular file"
    is_followed = not is_link or (_is_class(name) and not leads_back(path))
    return "folder" if is_followed else "link to a folder, which is not followed here"


def _is_class(name: str) -> bool:
    parts = name.split("/")
    return len(parts) == 1 or (len(parts) == 2 and parts[0] in SPLIT_FOLDERS)
