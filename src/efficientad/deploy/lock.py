"""One run at a time writes results to a folder."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from efficientad.deploy.sources import find_real
from efficientad.errors import DataError
from efficientad.pipeline.locks import read_owner, release, take

LOCK = ".efficientad.lock"  # the system's lock on it counts, not that it is there: a killed run leaves no lock


@contextmanager
def lock_folders(folders: Sequence[Path]) -> Iterator[None]:
    """Keep folders, which are made, for this process; DataError where another one has one of them.

    On a network drive that knows no locks a line on stderr says so, and nothing is kept.
    """
    with ExitStack() as locks:
        for folder in sorted({find_real(folder) for folder in folders}):
            locks.enter_context(_lock_folder(folder))
        yield


@contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = take(path)
    except BlockingIOError as error:
        owner = read_owner(path)
        raise DataError(
            f"expected to be the only run that writes results to {folder}, another one is at it"
            f"{f' (process {owner})' if owner else ''}; wait for it or stop it, or name another folder"
        ) from error
    except OSError as error:
        raise DataError(f"expected a folder for results at {folder}, got {error}; name another") from error
    try:
        yield
    finally:
        release(file, path)
