"""How a command ends that is told to."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM came: the command ends as after Ctrl-C, with another exit code."""


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
