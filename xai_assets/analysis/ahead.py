"""What is read for the next use while the last is used, in a thread: images for a network, files for the store."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

AHEAD = 2
"""Things that wait for their use."""


def ahead(things: Iterable[T], most: int = AHEAD) -> Iterator[T]:
    """The things in their order, made in another thread, at most so many before their use.

    An error is raised where the thing would have come.
    """
    source, end = iter(things), object()
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        waiting: deque[Future[T | object]] = deque()
        try:
            while True:
                while len(waiting) <= most:
                    waiting.append(thread.submit(next, source, end))
                found = waiting.popleft().result()
                if found is end:
                    return
                yield found  # type: ignore[misc]
        finally:
            for future in waiting:
                future.cancel()
