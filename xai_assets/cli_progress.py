"""What `xai` shows of long work: bars with the time that is left on a terminal, plain lines in a log."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.text import Text

from xai_assets.cli_main import work_began
from xai_assets.cli_screen import Screen
from xai_assets.text import printable

SECONDS_BETWEEN_LINES = 30.0
"""Where there is no terminal: between two lines about one step."""

NAME, NARROW_NAME = 24, 20
BAR = 40
"""The longest bar, in columns."""

LEAST_SECONDS = 3.0
"""Work that has gone on for less tells nothing of the time that is left."""

Counts = Callable[[str], tuple[int, int] | None]
"""The items done and in all of a step of that name; None where nothing is known."""


@dataclass
class Work:
    """One thing that goes on: how far it is, and since when.

    Attributes:
        name: as it is shown.
        expected: seconds that it took the last time; None where that is not known.
    """

    name: str
    expected: float | None = None
    started: float = field(default_factory=time.monotonic)
    said: float = field(default_factory=time.monotonic)
    done: int = 0
    total: int = 0
    _from: tuple[float, int] | None = None

    def advance(self, done: int, total: int) -> None:
        """So many items are done, of so many."""
        if self._from is None:
            self._from = (self.started, 0)
        elif total != self.total or done < self.done:
            self._from = (time.monotonic(), done)  # a part of the work with a count of its own begins
        self.done, self.total = done, total

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float | None:
        """An estimate of the seconds that are left: by its own pace, else by the time it took last; None: unknown."""
        if self._from is not None and 0 < self.done < self.total:
            since, first = self._from
            passed = time.monotonic() - since
            if self.done > first and passed >= LEAST_SECONDS:
                return passed * (self.total - self.done) / (self.done - first)
        if self.expected is not None and self.expected > self.seconds:
            return self.expected - self.seconds
        return None


class Steps:
    """The steps of a run as they begin, go on and end.

    Args:
        total: how many there are; 0: this is no run of steps, and its lines are not numbered.
        expected: seconds that each took the last time, by name; those of which nothing is known are absent.
        counts: how far steps are that run in other processes.
    """

    def __init__(
        self, total: int, expected: Mapping[str, float] | None = None, counts: Counts | None = None
    ) -> None:
        self.total, self.done = total, 0
        self._expected = dict(expected or {})
        self._known = bool(self._expected)
        self._counts = counts
        self._running: dict[str, Work] = {}
        self._started = time.monotonic()
        self._saying: str | None = None
        self.screen = Screen(self._content, self.tick)

    def __enter__(self) -> "Steps":
        self.screen.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.clear()
        self.screen.close()

    def begin(self, step: str) -> None:
        """`step` begins, beside those that run; nothing where it is shown already."""
        if step in self._running:
            return
        self._running[step] = Work(step, self._expected.pop(step, None))
        if not self.screen.draws:
            self.screen.line(f"{self._number(len(self._running))}{_name(step)} begins")

    def watch(self, step: str) -> Callable[[int, int], None]:
        """The function to call as `step`, which begins here if it has not, advances."""
        self.begin(step)
        return lambda done, total: self._advance(step, done, total)

    def end(self, step: str, how: str = "") -> None:
        """`step` is finished, or has ended otherwise; nothing where it is not shown."""
        work = self._running.pop(step, None)
        if work is None:
            return
        if not how:
            self.done += 1
        number = self._number() if not how else " " * len(self._number())
        self.screen.line(f"{number}{_name(step, NAME)} {work.seconds:7.1f} s{'  ' + how if how else ''}")

    def follow(self, step: str) -> Callable[[int, int], None]:
        """As `watch`, and the steps before are finished."""
        for before in list(self._running):
            self.end(before)
        return self.watch(step)

    def leave_out(self, step: str) -> None:
        """`step` will not be run."""
        self._expected.pop(step, None)

    def say(self, message: str) -> None:
        """A line that stays."""
        self.screen.line(printable(message))

    def stopping(self, message: str) -> None:
        """Show that the run is being stopped, until it has."""
        self._saying = message
        if not self.screen.draws:
            self.screen.line(message)
        self.screen.draw()

    def _advance(self, step: str, done: int, total: int) -> None:
        work = self._running.get(step)
        if work is None:
            return
        work.advance(done, total)

    def read_counts(self) -> None:
        """Take in how far steps in other processes are."""
        for step in list(self._running):
            found = self._counts(step) if self._counts else None
            if found is not None:
                self._advance(step, *found)

    def tick(self) -> None:
        """Where there is no terminal, say now and then what still runs."""
        self.read_counts()
        now = time.monotonic()
        for work in list(self._running.values()):
            if now - work.said >= SECONDS_BETWEEN_LINES:
                work.said = now
                count = f"{work.done}/{work.total}, " if work.total else ""
                self.screen.line(f"{' ' * len(self._number())}{_name(work.name)} {count}{_facts(work)}")

    def _number(self, more: int = 0) -> str:
        return f"{self.done + more:{len(str(self.total))}}/{self.total} " if self.total else ""

    def _content(self, width: int) -> list[Text]:
        self.read_counts()
        lines = [
            _line(f"  {work.name}", work.done, work.total, work.seconds, work.left, width)
            for work in list(self._running.values())
        ]
        if self.total:
            seconds = time.monotonic() - self._started
            lines.append(_line("assets", self.done, self.total, seconds, self._left(), width))
        if self._saying:
            lines.append(Text(self._saying))
        return lines

    def _left(self) -> float | None:
        """Of the whole run; None where it has steps of which nothing is known."""
        running = [work.left for work in list(self._running.values())]
        waiting = self.total - self.done - len(running)
        if not self._known or waiting > len(self._expected) or None in running:
            return None
        return sum(left for left in running if left is not None) + sum(self._expected.values())


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress function for one piece of work; an error after its first item counts as one of what ran."""
    with Steps(0) as steps:
        shown = steps.watch(label)

        def progress(done: int, total: int) -> None:
            if done:
                work_began()
            shown(done, total)

        yield progress
        steps.end(label)


def _name(name: str, width: int = 0) -> str:
    return f"{printable(name):{width}}"


def _facts(work: Work) -> str:
    left = work.left
    return f"{_clock(work.seconds)}{'' if left is None else f', about {in_words(left)} left'}"


def _line(name: str, done: int, total: int, seconds: float, left: float | None, width: int) -> Text:
    """One line: name, bar, count, time and the estimate of what is left, as much of it as fits in the width."""
    columns = NAME if width >= 70 else NARROW_NAME
    head = f"{printable(name)[:columns]:{columns}} "
    count = f"{done}/{total} " if total else ""
    tail = f"{count:>8}{_clock(seconds):>7}"
    if left is not None:
        tail += f"  about {in_words(left)} left" if width >= 70 else f" ~{in_words(left)}"
    room = min(BAR, width - len(head) - len(tail) - 1)
    if room < 5:
        return Text(f"{head}{tail}")
    full = room * done // total if total else 0
    return Text.assemble(head, ("━" * full, "cyan"), ("─" * (room - full), "bright_black"), f" {tail}")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def in_words(seconds: float) -> str:
    """An estimate of a time: no more exact than it is."""
    if seconds < 55:
        return f"{max(5, 5 * math_round(seconds / 5))} s"
    if seconds < 3600:
        return f"{math_round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def math_round(value: float) -> int:
    """To the nearest whole number, at least 1."""
    return max(1, int(value + 0.5))
