"""What a command says to people: its own words on stderr, and nothing of the libraries beneath it."""

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

KEEP = "EFFICIENTAD_LIBRARY_MESSAGES"  # set to anything: they are shown, for the search of a fault


class Terminated(KeyboardInterrupt):
    """SIGTERM came: the command ends as after Ctrl-C, with another exit code."""


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


@contextmanager
def interrupt_on_sigterm() -> Iterator[None]:
    """Let SIGTERM raise `Terminated`, so that files are closed at whole lines. Does nothing outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated

    previous = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
