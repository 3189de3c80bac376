"""Work in a process of its own, forked from one that holds the inputs."""

import multiprocessing
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_fork(work: Callable[[], T]) -> T:
    """What `work` returns in a forked process; it travels by pickle, so no tensors."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(work()))
    child.start()
    sender.close()
    try:
        found: T = receiver.recv()
    except EOFError:
        raise SystemExit(f"a forked process ended without an answer, exit code {child.exitcode}") from None
    finally:
        child.join()
    return found
