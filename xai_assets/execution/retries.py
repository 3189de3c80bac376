"""What is tried again: a step that was killed or ran out of memory, once, in half-sized batches. Nothing else is.

What a step has made by then is kept, so that the second try goes on where the first one stopped. A wrong file or a
mistake in the code is the same the second time, and fails at once.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from xai_assets.errors import XaiError
from xai_assets.memory import out_of_memory
from xai_assets.text import printable

ONCE_MORE = dg.RetryPolicy(max_retries=1)
"""For steps that run a network over many inputs: what a process needs then depends on what runs beside it."""


def batch_share(retry: int) -> float:
    """The share of the usual batch sizes that a step's try has: all at first, half at its first retry, and so on."""
    return 0.5**retry


@contextmanager
def only_what_can_be_retried() -> Iterator[None]:
    """Let an exception of the work inside through to the step's retry policy only where another try may succeed."""
    try:
        yield
    except Exception as error:
        if out_of_memory(error):
            raise
        said = str(error) if isinstance(error, XaiError) else f"{type(error).__name__}: {error}"
        raise dg.Failure(description=printable(said, lines=True), allow_retries=False) from error


def free_memory() -> None:
    """Give back what a try before this one left in this process, on the GPU as well."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
