"""One process at a time at one work: a stage whose `dvc repro` was killed goes on, and the next one waits for it."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_POLL = 0.2  # seconds


@contextmanager
def alone_at(path: Path, work: str) -> Iterator[None]:
    """Hold the lock file `path` through the block; while another process holds it, say so on stderr and wait.

    The lock ends with its process, however that ends, and the file goes with the block. Of several processes of
    torchrun the first one holds it for all. Nothing is locked on Windows, or on a file system without locks.
    """
    if sys.platform == "win32" or os.environ.get("RANK", "0") != "0":
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = _wait_for(path, work)
    try:
        os.truncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(handle)


def _wait_for(path: Path, work: str) -> int:
    """Return the open lock file, locked."""
    import fcntl

    is_told = False
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(handle, path):
                return handle
        except BlockingIOError:
            if not is_told:
                holder = os.read(handle, 20).decode(errors="replace") or "another one"
                print(f"{work}: process {holder} works at the same; waiting for its end", file=sys.stderr, flush=True)
                is_told = True
            time.sleep(_POLL)
        except OSError:
            return handle
        os.close(handle)


def _is_still(handle: int, path: Path) -> bool:
    """Whether an open file has its name still; who held it before removed it."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), path.stat())
    return False
