"""One run at a time writes results to a folder."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from efficientad.data.files.names import make_printable
from efficientad.errors import DataError

LOCK = ".efficientad.lock"  # the system's lock on it counts, not that it is there: a killed run leaves no lock


@contextmanager
def lock_folders(folders: Sequence[Path]) -> Iterator[None]:
    """Keep folders, which are made, for this process; DataError where another one has one of them.

    On a network drive that knows no locks a line on stderr says so, and nothing is kept.
    """
    with ExitStack() as locks:
        for folder in sorted({folder.resolve() for folder in folders}):
            locks.enter_context(_lock_folder(folder))
        yield


@contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _open_current(path)
    except BlockingIOError as error:
        raise DataError(
            f"expected to be the only run that writes results to {folder}, another one is at it{_name_owner(path)}; "
            "wait for it or stop it, or name another folder"
        ) from error
    except OSError as error:
        raise DataError(f"expected a folder for results at {folder}, got {error}; name another") from error
    try:
        yield
    finally:
        if sys.platform != "win32":  # while the lock is held, so that nobody locks a file that goes
            path.unlink(missing_ok=True)
        file.close()


def _open_current(path: Path) -> IO[bytes]:
    """Open and lock the file that lies at `path` then: a run that ends removes its own."""
    while True:
        file = path.open("ab+")
        try:
            _lock_file(file)
            if _lies_at(file, path):
                file.truncate(0)
                file.write(str(os.getpid()).encode())
                file.flush()
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _lies_at(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _lock_file(file: IO[bytes]) -> None:
    """Lock an open file until it is closed; BlockingIOError where another one has it."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(1 << 30)  # beyond what is written: locked bytes cannot be read
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(*error.args) from error
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        print(f"WARNING no lock on {make_printable(str(file.name))}: {error}", file=sys.stderr)


def _name_owner(path: Path) -> str:
    try:
        number = path.read_bytes()
    except OSError:
        return ""
    return f" (process {number.decode()})" if number.isdigit() else ""
