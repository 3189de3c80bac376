"""Seconds of one core and peak memory of a piece of work, on machines that others use too."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.forked import in_fork
from xai_assets.vision.allocator import keep_freed_memory

_PAGE = 4096
_SAMPLE_SECONDS = 0.005


@dataclass(frozen=True)
class Measured:
    """One run.

    Attributes:
        result: what the work returned.
        seconds: processor time of this process, which neighbours on the machine hardly change.
        peak_mib: the largest resident memory during the run, above what was resident before.
    """

    result: Any
    seconds: float
    peak_mib: float


def measured_as_in_an_asset(work: Callable[[], Any], *, runs: int = 1) -> Measured:
    """`measured` in a forked process that keeps freed memory, as every step of a study does at its start.

    A process of its own, because the allocator cannot be put back to what the library is measured with.
    """

    def run() -> Measured:
        keep_freed_memory()
        work()  # fills what is kept
        return measured(work, runs=runs)

    return in_fork(run)


def measured(work: Callable[[], Any], *, runs: int = 1) -> Measured:
    """Run `work`, and take the quickest of `runs`."""
    found = []
    for _ in range(runs):
        with _Peak() as peak:
            started = time.process_time()
            result = work()
            seconds = time.process_time() - started
        found.append(Measured(result, seconds, peak.mib))
    return min(found, key=lambda run: run.seconds)


class _Peak:
    """Resident memory, sampled in a thread."""

    def __enter__(self) -> "_Peak":
        self._done = threading.Event()
        self._before = self._highest = _resident()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_SAMPLE_SECONDS):
            self._highest = max(self._highest, _resident())

    @property
    def mib(self) -> float:
        return (self._highest - self._before) * _PAGE / 2**20


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
