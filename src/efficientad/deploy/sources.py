"""The images that a user names: files and folders, the folder that holds them all, and how a file is recognised."""

import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from efficientad.data.files.listing import list_images
from efficientad.data.files.walk import count, explain_left_out, list_tree, shorten
from efficientad.errors import DataError


class Stamp(NamedTuple):
    """What tells that a file changed under its name."""

    bytes: int
    modified: float  # seconds since 1970


def read_stamp(file: Path) -> Stamp | None:
    """Return a file's stamp; None where there is no file."""
    try:
        status = file.stat()
    except OSError:
        return None
    return Stamp(status.st_size, status.st_mtime)


def find_real(path: Path) -> Path:
    """Return a path without links; of a link that leads to itself the path so far, where Path.resolve would raise."""
    return Path(os.path.realpath(path))


def find_root(sources: Sequence[Path]) -> Path:
    """Return the deepest folder that holds all sources: of one folder itself, of a file the one around it.

    Raises DataError where there is none, on Windows between drives.
    """
    try:
        return Path(os.path.commonpath([find_real(_find_folder(source)) for source in sources]))
    except ValueError as error:
        raise DataError(
            f"expected images on one drive, got {', '.join(map(str, sources))}; judge them apart"
        ) from error


def list_sources(sources: Sequence[Path], left_out: Sequence[Path]) -> dict[str, Path]:
    """Return the images of all sources, files and what `list_images` finds in folders, by name, in the order of names.

    A name is the path from `find_root`'s folder on, with / on every system. What lies below a folder of `left_out`,
    where results go, is no image. Raises DataError as `list_images` and `find_root`.
    """
    root, hidden = find_root(sources), [find_real(folder) for folder in left_out]
    files: dict[str, Path] = {}
    for source in sources:
        folder = _find_folder(source)
        resolved = find_real(folder)
        inside = [folder / one.relative_to(resolved) for one in hidden if one.is_relative_to(resolved)]
        for file in [source] if source.is_file() else list_images(source):
            if file == source or not any(file.is_relative_to(one) for one in inside):
                files[(resolved.relative_to(root) / file.relative_to(folder)).as_posix()] = file
    return dict(sorted(files.items()))


def print_left_out(sources: Sequence[Path], used: Collection[Path], results: Sequence[Path]) -> None:
    """Say on stderr which files of the folders among `sources` are not used, those in folders of results aside."""
    hidden = [find_real(folder) for folder in results]
    for source in filter(Path.is_dir, sources):
        names = {file.relative_to(source).as_posix() for file in used if file.is_relative_to(source)}
        left_out = [
            one
            for one in explain_left_out(list_tree(source, followed=0), names)
            if not any((find_real(source) / one.file).is_relative_to(folder) for folder in hidden)
        ]
        if left_out:
            print(f"WARNING {count(left_out)} not judged:\n{shorten(left_out)}", file=sys.stderr)


def _find_folder(source: Path) -> Path:
    return source if source.is_dir() else source.parent
