"""How many decoded pixels are in memory at a time, however many threads work on images."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class PixelBudget:
    """Threads take pixels out of it while they hold an image of its full size, and wait where too few are left.

    An image of more pixels than there are in all waits until it is alone. Who holds an image must not take another.
    """

    def __init__(self, megapixels: float) -> None:
        self._left = self._all = int(megapixels * 10**6)
        self._freed = Condition()

    @contextmanager
    def take(self, pixels: int) -> Iterator[None]:
        """Hold so many pixels of the budget."""
        share = min(pixels, self._all)
        with self._freed:
            self._freed.wait_for(lambda: self._left >= share)
            self._left -= share
        try:
            yield
        finally:
            with self._freed:
                self._left += share
                self._freed.notify_all()
