"""Ctrl-C, SIGTERM and SIGHUP of `xai run`: the run ends as cancelled, and a second Ctrl-C ends it at once.

Dagster sets its own handlers of SIGINT and SIGTERM while a run goes on, and records a run that is interrupted without a
request as failed. Here the request is noted by a thread that reads Python's wake-up descriptor, which is written to
even while the main thread is in a long computation, and `cancelling` records it before Dagster looks.
"""

import multiprocessing.forkserver
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from dagster import DagsterEvent, DagsterRunStatus
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.execution.context.system import PlanOrchestrationContext

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

SECONDS_TO_A_SECOND = 0.7
"""Wrappers pass on a signal that the terminal has sent already; what comes this soon after the first is the same one."""

SECONDS_TO_ARRIVE = 3.0
"""A handler's exception is lost where Python or a library swallows it, such as in a destructor, and Dagster forgets a
signal at the end of what it does not let be interrupted. A request that has not arrived after this time is sent again.
"""

_asked: list[int] = []
_here = threading.Event()
"""Steps run in this process's main thread, and no request to stop has reached the executor."""


def asked_to_stop() -> bool:
    """Whether this process was sent one of `SIGNALS` within `stoppable`."""
    return bool(_asked)


def cancelling(
    plan_context: PlanOrchestrationContext, events: Iterator[DagsterEvent], *, here: bool = False
) -> Iterator[DagsterEvent]:
    """The events of an executor; where a person has stopped it, the run is marked as being cancelled.

    Args:
        plan_context: of the run.
        events: the executor's.
        here: its steps run in this process, so that a request to stop is sent again until it arrives.
    """
    if here:
        _here.set()
    try:
        yield from events
    except (KeyboardInterrupt, DagsterExecutionInterruptedError):
        _here.clear()
        instance = plan_context.instance
        run = instance.get_run_by_id(plan_context.run_id)
        if asked_to_stop() and run is not None and run.status is DagsterRunStatus.STARTED:
            instance.report_run_canceling(run)
        raise
    finally:
        _here.clear()


@contextmanager
def stoppable(first: Callable[[], None], second: Callable[[], None]) -> Iterator[None]:
    """Treat SIGTERM and SIGHUP as Ctrl-C, and tell of signals as they come.

    Args:
        first: called in another thread at the first signal; the main thread gets KeyboardInterrupt, or what Dagster
            makes of it.
        second: called in that thread at the next Ctrl-C or SIGTERM; it should end the process.
    """
    _asked.clear()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS[1:]:
        if before[number] is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _as_ctrl_c)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    awoken = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    thread = threading.Thread(target=_listen, args=(reading, first, second), name="signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(awoken)
        os.close(writing)  # which ends the thread
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):
        raise KeyboardInterrupt
    handler(number, frame)


def _listen(reading: int, first: Callable[[], None], second: Callable[[], None]) -> None:
    begun, own = 0.0, 0
    with os.fdopen(reading, "rb", buffering=0) as numbers:
        while True:
            if not select.select([numbers], [], [], SECONDS_TO_ARRIVE)[0]:
                if _asked and _here.is_set():
                    own += 1
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                continue
            if not (said := numbers.read(64)):
                return
            for number in said:
                if number not in SIGNALS:
                    continue
                if own and number == signal.SIGINT:
                    own -= 1
                    continue
                if not _asked:
                    begun = time.monotonic()
                    _asked.append(number)
                    first()
                elif number != signal.SIGHUP and time.monotonic() - begun >= SECONDS_TO_A_SECOND:
                    second()


def start_fork_server(preload: Sequence[str]) -> None:
    """Start the process that steps are forked from, deaf to `SIGNALS`, which its children are until Dagster listens.

    A terminal sends Ctrl-C to all its processes. One that is just being forked would die of it with a traceback; the
    run's own process tells steps to stop.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    server = multiprocessing.forkserver
    server.set_forkserver_preload(list(preload))
    before = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}
    try:
        server.ensure_running()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
