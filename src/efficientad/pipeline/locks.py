"""Locks of the system on files: they end with their process, however that ends."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_POLL = 0.2  # seconds


@contextmanager
def alone_at(path: Path, work: str) -> Iterator[None]:
    """Hold the lock file `path` through the block; while another process holds it, say so on stderr and wait.

    A stage whose `dvc repro` was killed goes on, and the next one waits for it. Of several processes of torchrun the
    first one holds the lock for all.
    """
    if os.environ.get("RANK", "0") != "0":
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _wait_for(path, work)
    try:
        yield
    finally:
        release(file, path)


def take(path: Path) -> IO[bytes]:
    """Open and lock the file at `path`, which is made, until it is released; BlockingIOError where another one has it.

    The process's number is written into it. On a file system without locks a line on stderr says so.
    """
    while True:
        file = path.open("ab+")
        try:
            _lock(file)
            if _lies_at(file, path):
                file.truncate(0)
                file.write(str(os.getpid()).encode())
                file.flush()
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def release(file: IO[bytes], path: Path) -> None:
    """Remove and unlock the file, in this order, so that nobody locks one that goes; on Windows it stays."""
    if sys.platform != "win32":
        with suppress(OSError):
            path.unlink()
    file.close()


def read_owner(path: Path) -> str:
    """Return the number of the process that wrote itself into a lock file; "" where there is none."""
    try:
        number = path.read_bytes()
    except OSError:
        return ""
    return number.decode() if number.isdigit() else ""


def _wait_for(path: Path, work: str) -> IO[bytes]:
    is_told = False
    while True:
        try:
            return take(path)
        except BlockingIOError:
            if not is_told:
                owner = read_owner(path)
                holder = f"process {owner}" if owner else "another process"
                print(f"{work}: {holder} works at the same; waiting for its end", file=sys.stderr, flush=True)
                is_told = True
            time.sleep(_POLL)


def _lies_at(file: IO[bytes], path: Path) -> bool:
    """Whether an open file has its name still: who held it before removed it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _lock(file: IO[bytes]) -> None:
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
        print(f"WARNING no lock on {str(file.name)!a}: {error}", file=sys.stderr)
