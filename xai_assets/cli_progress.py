"""What a terminal shows while `xai` works: a bar on a screen, plain lines in a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

SECONDS_BETWEEN_LINES = 10.0


def _display(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:24}"),
        BarColumn(28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress function for one piece of work: a bar on a screen, elsewhere a line now and then."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(console, label)
        return
    with _display(console) as display:
        task = display.add_task(label, total=None)
        yield lambda done, total: display.update(task, completed=done, total=total)


def _lines(console: Console, label: str) -> Callable[[int, int], None]:
    started = said = time.perf_counter()

    def progress(done: int, total: int) -> None:
        nonlocal said
        now = time.perf_counter()
        if done == total or now - said >= SECONDS_BETWEEN_LINES:
            said = now
            console.print(f"{label} {done}/{total} {now - started:.0f} s", highlight=False)

    return progress


class Steps:
    """The steps of a run, one below the other: on a screen with bars, elsewhere a line a finished step."""

    def __init__(self, total: int) -> None:
        self.console = Console(stderr=True)
        self.display = _display(self.console) if sys.stderr.isatty() else None
        self.total, self.done = total, 0
        self._overall: TaskID | None = None
        self._running: dict[str, tuple[float, TaskID | None]] = {}

    def __enter__(self) -> "Steps":
        if self.display:
            self.display.start()
            self._overall = self.display.add_task("assets", total=self.total)
        return self

    def __exit__(self, *_: object) -> None:
        self._end_all()
        if self.display:
            self.display.stop()

    def watch(self, step: str) -> Callable[[int, int], None]:
        """Begin to show `step`; the one before it is finished."""
        self._end_all()
        self.begin(step)
        _, task = self._running[step]

        def progress(done: int, total: int) -> None:
            if self.display and task is not None:
                self.display.update(task, completed=done, total=total)

        return progress

    def begin(self, step: str) -> None:
        """Begin to show `step` beside those that run."""
        task = self.display.add_task(f"  {step}", total=None) if self.display else None
        self._running[step] = (time.perf_counter(), task)

    def end(self, step: str) -> None:
        """`step` is finished; nothing where it is not shown."""
        if step not in self._running:
            return
        started, task = self._running.pop(step)
        self.done += 1
        seconds = time.perf_counter() - started
        if self.display and self._overall is not None and task is not None:
            self.display.remove_task(task)
            self.display.update(self._overall, completed=self.done)
        self.console.print(f"{self.done:2}/{self.total} {step:24} {seconds:6.1f} s", highlight=False)

    def say(self, message: str) -> None:
        """A line above the bars."""
        self.console.print(message, highlight=False)

    def _end_all(self) -> None:
        for step in list(self._running):
            self.end(step)
