"""Keeps what libraries in C and C++ write on their own away from the terminal."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

KEEP = "EFFICIENTAD_LIBRARY_MESSAGES"  # set to anything: they are shown, for the search of a fault


@contextmanager
def silence_libraries() -> Iterator[None]:
    """Keep what decoders of images and OpenVINO write to stderr on their own away from it.

    A damaged file is reported anyway; they write more than a line for each. Python's stderr goes on as ever.
    """
    if KEEP in os.environ:
        yield
        return
    stderr, own = sys.stderr, None
    try:
        saved = os.dup(2)
    except OSError:  # there is no stderr
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        if isinstance(stderr, io.TextIOWrapper) and _get_number(stderr) == 2:
            stderr.flush()
            own = open(os.dup(2), "w", buffering=1, encoding=stderr.encoding, errors=stderr.errors)  # noqa: PTH123, SIM115
            sys.stderr = own
        os.dup2(nowhere, 2)
        yield
    finally:
        if own is not None:
            own.flush()
            if sys.stderr is own:
                sys.stderr = stderr
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
        if own is not None:
            own.close()


def _get_number(stream: io.TextIOWrapper) -> int | None:
    """Return a stream's file descriptor; None where it has none."""
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None
