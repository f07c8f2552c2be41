"""What ends a stage from outside, a signal or the system, as one line on stderr and an exit code that is not 0."""

import errno
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from efficientad.errors import EfficientADError
from efficientad.pipeline.printable import write_line, write_lines

STOPS = (signal.SIGINT, signal.SIGTERM)
_AGAIN = "run `dvc repro` again: finished stages are kept, and a training goes on from its last checkpoint"
_ADVICE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "free space on this disk, then"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "let this user read and write there, then"),
    errno.ENOMEM: "close other programs or take smaller images, then",
    errno.EMFILE: "allow more open files (ulimit -n), then",
}
_NO_MEMORY = (
    "bad_alloc",
    "can't allocate memory",
    "out of memory",
    "Cannot allocate memory",
    "can't start new thread",
    "Insufficient memory",  # OpenCV
)


class Stopped(BaseException):
    """A signal asked the process to end. No Exception: nothing that handles errors goes on after it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


@contextmanager
def told_in_a_line() -> Iterator[None]:
    """Run a block; what a user can put right, a signal, a full disk or memory exits with one line, not a traceback.

    The code is 128 + the signal's number, else 1. A second signal ends the process at once.
    """
    before = {number: signal.signal(number, _raise_stopped) for number in STOPS}
    try:
        yield
    except Stopped as stop:
        print(f"interrupted by {stop}; {_AGAIN}", file=sys.stderr)
        sys.exit(stop.code)
    except EfficientADError as error:
        sys.exit(f"{type(error).__name__}: {write_lines(error)}")
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0)
        sys.exit(
            f"{type(error).__name__}: {write_line(error)}; {f'{advice} ' if advice else 'mend that, then '}{_AGAIN}"
        )
    except BaseException as error:
        if not is_out_of_memory(error):
            raise
        told = write_line(error) or "no more"  # OpenCV ends its words with the end of a line
        sys.exit(f"MemoryError: {told}; close other programs or take smaller images, then {_AGAIN}")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Python, numpy, torch or a library in C++ (std::bad_alloc) or Rust (a panic) found no memory.

    >>> is_out_of_memory(RuntimeError("std::bad_alloc")), is_out_of_memory(RuntimeError("shapes differ"))
    (True, False)
    """
    if type(error).__name__ == "PanicException":  # of safetensors, no Exception: PyO3 had no memory for an object
        return "PyObject pointer is null" in str(error)
    return isinstance(error, MemoryError) or (
        isinstance(error, Exception) and any(sign in str(error) for sign in _NO_MEMORY)
    )


def list_handlers() -> dict[signal.Signals, Any]:
    """Return who handles the signals that end a stage, to put them back after a library took them."""
    return {number: signal.getsignal(number) for number in STOPS}


def restore_handlers(handlers: dict[signal.Signals, Callable[[int, FrameType | None], Any] | int | None]) -> None:
    """Put back what `list_handlers` returned."""
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _raise_stopped(number: int, frame: FrameType | None) -> NoReturn:
    for stop in STOPS:
        signal.signal(stop, signal.SIG_DFL)
    raise Stopped(number)
