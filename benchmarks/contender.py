"""One contender in a process of its own: what it costs in time, and in memory beyond its input.

Processes are forked, one after the other, from a parent that holds the inputs: all contenders read the same pages, and
none pays for what another left behind.
"""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.forked import in_fork


@dataclass(frozen=True)
class Cost:
    """Processor seconds, seconds on the clock, MiB of the highest resident set beyond that at the start."""

    processor: float
    wall: float
    peak: float


def measure(work: Callable[[], object]) -> Cost:
    """The cost of `work` in a forked process; what it returns is thrown away."""

    def run() -> Cost:
        Path("/proc/self/clear_refs").write_text("5")  # the highest resident set starts anew
        before, processor, wall = _status("VmRSS"), _processor(), time.perf_counter()
        work()
        return Cost(_processor() - processor, time.perf_counter() - wall, _status("VmHWM") - before)

    return in_fork(run)


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _status(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"/proc/self/status has no {name}")
