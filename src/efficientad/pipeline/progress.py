"""How far a loop is and how long it will still take; no result depends on it.

On a terminal a live bar, which appears after a second; in a log a line every tenth of the way, where the loop takes ten
seconds or more. A loop inside of another one is not shown, and of several processes the first one shows.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")
_BAR_AFTER = 1.0  # seconds
_LINES_FROM = 10.0  # seconds that a loop takes in all
_TENTHS = 10


def track(items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
    """Yield the items and show how far they are; `total` is their number where they have no length."""
    if total is None:
        total = len(items) if isinstance(items, Sized) else 0
    with Progress(label, total) as progress:
        for done, item in enumerate(items, start=1):
            yield item
            progress.show(done)


class Progress:
    """Shows `show(done)` of `total` steps; `done` of them were there before, from a run that was interrupted."""

    _is_one_shown = False

    def __init__(self, label: str, total: int, done: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self.label, self.total, self.first, self.clock = label, total, done, clock
        self.is_live = sys.stderr.isatty()
        self.bar: Any = None

    def __enter__(self) -> "Progress":
        is_first = os.environ.get("RANK", "0") == "0"
        self.is_shown = is_first and self.total - self.first > 1 and not Progress._is_one_shown
        Progress._is_one_shown |= self.is_shown
        self.started, self.tenth = self.clock(), self._find_tenth(self.first)
        return self

    def show(self, done: int, note: str = "") -> None:
        """Show that `done` of the steps are done, and a note such as the loss."""
        if not self.is_shown:
            return
        seconds = self.clock() - self.started
        if self.is_live:
            self._move_bar(done, note, seconds)
            return
        tenth, self.tenth = self.tenth, self._find_tenth(done)
        each = seconds / max(1, done - self.first)
        if self.tenth > tenth and each * (self.total - self.first) >= _LINES_FROM:
            left = format_seconds(each * (self.total - done))
            parts = [f"{self.label}: {done} of {self.total}", note, f"{each:.2g} s each", f"{left} left"]
            print(", ".join(part for part in parts if part), flush=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
        if self.is_shown:
            Progress._is_one_shown = False

    def _find_tenth(self, done: int) -> int:
        return _TENTHS * done // max(1, self.total)

    def _move_bar(self, done: int, note: str, seconds: float) -> None:
        if self.bar is None and seconds >= _BAR_AFTER:
            self._open_bar()
        if self.bar is not None:
            self.bar.update(self.task, completed=done, note=note)

    def _open_bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        label, note = TextColumn("{task.description}"), TextColumn("{task.fields[note]}")
        columns = (label, BarColumn(), MofNCompleteColumn(), note, TimeRemainingColumn())
        # What is printed meanwhile stands above the bar, but not where it goes to a file.
        self.bar = Bar(*columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty())
        self.task = self.bar.add_task(self.label, total=self.total, completed=self.first, note="")
        self.bar.start()


def format_seconds(seconds: float) -> str:
    """Return a time as people read it.

    >>> [format_seconds(value) for value in (7.4, 95, 3725)]
    ['7 s', '1:35 min', '1:02 h']
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    high, low, unit = (whole // 60, whole % 60, "min") if whole < 3600 else (whole // 3600, whole % 3600 // 60, "h")
    return f"{high}:{low:02} {unit}"
