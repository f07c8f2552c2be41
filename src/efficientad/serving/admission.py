"""The bounded queue: so many requests are inside, and who comes beyond them is told at once to come again."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from typing import TypeVar

from efficientad.serving.refusals import Refusal

_RETRY_AFTER_S = "1"

Result = TypeVar("Result")


class Gate:
    """Threads that judge, and the requests that they work on or that wait for them.

    All methods are called from one event loop.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self.capacity = threads + waiting
        self.inside = 0
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="judge")

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Take a place for the time of a `with`; a request enters before its body is read, which bounds memory.

        Raises Refusal, 429 with Retry-After, where there is none.
        """
        if self.inside >= self.capacity:
            raise Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"{self.capacity} images are being judged or wait for it; send this one again in {_RETRY_AFTER_S} s",
                {"Retry-After": _RETRY_AFTER_S},
            )
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    async def work(self, function: Callable[[], Result]) -> Result:
        """Call the function in one of the threads, when one is free."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    def close(self) -> None:
        """Let the threads finish what they have begun."""
        self._threads.shutdown()
