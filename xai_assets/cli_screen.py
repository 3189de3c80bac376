"""Lines that change at the foot of a terminal, below those that stay.

Written to the terminal itself: Dagster points descriptor 2 at a file while a step runs. A terminal that has grown
narrower has wrapped what stood there, so rows are counted anew at each drawing. One whose reader is gone is left alone.
"""

import math
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, TextIO, cast

from rich.console import Console
from rich.text import Text

SECONDS_BETWEEN_DRAWINGS = 0.25

Content = Callable[[int], Sequence[Text]]
"""Given the width in columns, the lines to show, which are cut to it."""


class Screen:
    """The place where progress is shown.

    Args:
        content: what to show below everything that was printed.
        otherwise: called as often where there is no terminal to draw on.
    """

    def __init__(self, content: Content, otherwise: Callable[[], None]) -> None:
        self._content, self._otherwise = content, otherwise
        self._file: TextIO = _copy_of_stderr()
        # Colours as rich chooses them: none where NO_COLOR is set. FORCE_COLOR makes no log a terminal.
        on_terminal = self._file.isatty()
        self._console = Console(
            file=self._file,
            force_terminal=on_terminal,
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=True,
        )
        self.draws = on_terminal and not self._console.is_dumb_terminal
        self._shown: list[int] = []  # cells of each line that is drawn
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "Screen":
        self._thread = threading.Thread(target=self._go_on, name="screen", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def width(self) -> int:
        """The terminal's columns now."""
        try:
            columns = os.get_terminal_size(self._file.fileno()).columns
        except (OSError, ValueError):
            columns = 0
        return columns or self._console.width

    def line(self, text: Text | str) -> None:
        """Print a line that stays, above those that change."""
        with self._lock:
            self._write(self._erased() + self._rendered(text) + "\n")
            self.draw()

    def draw(self) -> None:
        """Draw what changes, in place of what was drawn before."""
        if not self.draws or self._closed.is_set():
            return
        with self._lock:
            width = self.width - 1  # a full last column would wrap
            lines = list(self._content(width))[: max(1, self._height() - 1)]
            for line in lines:
                line.truncate(width, overflow="ellipsis")
            erased = self._erased()
            self._shown = [line.cell_len for line in lines]
            # The cursor waits at the start of the last line, where the terminal's "^C" makes no row of its own.
            self._write(erased + "\n".join(map(self._rendered, lines)) + "\r")

    def close(self) -> None:
        """Erase what changes, and draw no more."""
        if self._closed.is_set():
            return
        self._closed.set()
        if self._thread is not None:
            self._thread.join(2)
        with self._lock:
            self._write(self._erased())
        try:
            self._file.close()
        except OSError:
            self._file = sys.stderr  # its reader is gone

    def _go_on(self) -> None:
        while not self._closed.wait(SECONDS_BETWEEN_DRAWINGS):
            if self.draws:
                self.draw()
            else:
                self._otherwise()

    def _height(self) -> int:
        try:
            return os.get_terminal_size(self._file.fileno()).lines or 24
        except (OSError, ValueError):
            return 24

    def _erased(self) -> str:
        """What takes the cursor to the first changing line and erases from there."""
        if not self._shown:
            return ""
        width = max(1, self.width)
        rows = sum(max(1, math.ceil(cells / width)) for cells in self._shown[:-1])
        self._shown = []
        return "\r" + (f"\x1b[{rows}A" if rows else "") + "\x1b[J"

    def _rendered(self, text: Text | str) -> str:
        with self._console.capture() as captured:
            self._console.print(text, end="")
        return captured.get()

    def _write(self, text: str) -> None:
        try:
            self._file.write(text)
            self._file.flush()
        except (OSError, ValueError):
            self.draws = False  # the terminal was closed; the run goes on, or ends by SIGHUP


def _copy_of_stderr() -> TextIO:
    encoding = sys.stderr.encoding or "utf-8"
    try:
        return os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding=encoding, errors="backslashreplace")
    except (OSError, ValueError, AttributeError):  # no file, as under a test's runner
        return cast(TextIO, _Borrowed(sys.stderr))


class _Borrowed:
    """A stream that is not ours to close."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def close(self) -> None:
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
