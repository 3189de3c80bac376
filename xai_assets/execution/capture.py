"""What steps print, kept in the run's files and nowhere else.

Dagster captures what a step writes to stdout and stderr in files, and repeats it where it would have gone, by a `tail`
and a watching process for each step. Under `xai run` that would be written over the progress on the terminal.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagster._core.execution.compute_logs import redirect_to_file
from dagster._core.storage import local_compute_log_manager
from dagster._utils import ensure_file

HOOK = "mirror_stream_to_file"
"""Dagster's function that `LocalComputeLogManager.capture_logs` calls for stdout and stderr by this name."""


@contextmanager
def _to_file(stream: Any, path: str) -> Iterator[tuple[None, None]]:
    ensure_file(path)
    with redirect_to_file(stream, path):
        yield (None, None)


def capture_only() -> None:
    """From now on this process's steps write to their files only."""
    setattr(local_compute_log_manager, HOOK, _to_file)


def captures_only() -> bool:
    """Whether `capture_only` was called, so that processes of steps do the same."""
    return getattr(local_compute_log_manager, HOOK) is _to_file


@contextmanager
def quiet() -> Iterator[None]:
    """Have the steps of runs in this block write to their files only."""
    before = getattr(local_compute_log_manager, HOOK)
    capture_only()
    try:
        yield
    finally:
        setattr(local_compute_log_manager, HOOK, before)
