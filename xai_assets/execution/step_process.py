"""A step's own process: what is set before any code of the step runs, and with whom it dies."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Mapping
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from dagster import DagsterInstance, DagsterRun
from dagster._core.executor import multiprocess
from dagster._core.log_manager import DagsterLogManager

from xai_assets.execution import capture, counts
from xai_assets.execution.device import Lease


class StepContext:
    """A multiprocessing context whose processes begin with a lease and an environment of their own.

    Args:
        context: forkserver's; all but `Process` is left to it.
        lease: the place that the step runs on; None for a step that needs none.
        environment: variables that are set before any code of the step is imported.
    """

    def __init__(self, context: BaseContext, lease: Lease | None, environment: Mapping[str, str]) -> None:
        self._context, self._lease, self._environment = context, lease, dict(environment)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def Process(self, *, target: Callable[..., object], args: tuple[object, ...] = ()) -> BaseProcess:
        """A process that has not begun yet, as multiprocessing's own."""
        process = self._context.Process  # type: ignore[attr-defined]
        told = (self._lease, self._environment, capture.captures_only(), counts.folder())
        return process(target=_begin, args=(*told, target, *args))


def _begin(
    lease: Lease | None,
    environment: Mapping[str, str],
    captures_only: bool,
    counts_folder: Path | None,
    target: Callable[..., object],
    *args: object,
) -> None:
    # The lease stays open in this frame for as long as the process lives.
    threading.Thread(target=_die_with_run_worker, name="die-with-run-worker", daemon=True).start()
    os.environ.update(environment)
    if captures_only:
        capture.capture_only()
    counts.write_to(counts_folder)
    # Dagster announces the step on stderr, at DEBUG, whatever loggers the run has chosen; its log has the event anyway.
    multiprocess.create_context_free_log_manager = _silent_log_manager  # type: ignore[assignment]
    target(*args)


def _silent_log_manager(instance: DagsterInstance, run: DagsterRun) -> DagsterLogManager:
    return DagsterLogManager.create(loggers=[], instance=instance, dagster_run=run)


def _die_with_run_worker() -> None:
    """End this process when the run worker is gone: it would go on holding its device and writing beside a retry.

    Linux's death signal of the parent is no help: the parent of a forked step is the fork server, which outlives the
    run worker for as long as one of its children does.
    """
    worker = multiprocessing.parent_process()
    assert worker is not None
    multiprocessing.connection.wait([worker.sentinel])
    os.kill(os.getpid(), signal.SIGKILL)
