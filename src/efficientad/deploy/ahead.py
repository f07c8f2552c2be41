"""Work on items in threads, ahead of whoever takes the results, in order and with bounded memory."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

THREADS = min(8, os.cpu_count() or 1)
AHEAD = THREADS + 2  # results that may wait to be taken

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ahead(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int = THREADS, ahead: int = AHEAD
) -> Iterator[Result]:
    """Yield `work(item)` of each item, in order; threads work on up to `ahead` items beyond the one that is asked for.

    No more items are taken than that. An exception comes out at its item's place.
    """
    pool = ThreadPoolExecutor(threads)
    pending: deque[Future[Result]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
