"""A small terminal: runs a program under a pty, and keeps what its screen shows. No more than our own output needs."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

_TOKEN = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|\x1b.|[\r\n]|[^\x1b\r\n]+")


class Screen:
    """Lines of text as a terminal of so many columns shows them; those that have scrolled away are kept as well."""

    def __init__(self, columns):
        self.columns, self.lines, self.row, self.column = columns, [""], 0, 0

    def feed(self, text):
        for token in _TOKEN.finditer(text):
            said, command = token[0], token[2]
            if command == "A":
                self.row = max(0, self.row - int(token[1] or 1))
            elif command == "J":
                self.lines[self.row] = self.lines[self.row][: self.column]
                del self.lines[self.row + 1 :]
            elif command == "m" or said.startswith("\x1b"):
                assert command == "m", f"an escape that we do not write: {said!r}"
            elif said == "\r":
                self.column = 0
            elif said == "\n":
                self._down()
            else:
                for character in said:
                    self._put(character)

    def _put(self, character):
        if self.column == self.columns:
            self._down()
            self.column = 0
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[: self.column] + character + line[self.column + 1 :]
        self.column += 1

    def _down(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")


class Program:
    """A program in a terminal of its own, in whose foreground it is."""

    def __init__(self, command, *, columns, rows=40, environment=None):
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = dict(os.environ if environment is None else environment) | {"TERM": "xterm-256color"}
        for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
            environment.pop(name, None)
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(theirs)
        self.screen, self.said, self.seen = Screen(columns), "", []

    def read(self, until=None, seconds=120):
        """Read until the screen holds `until`, or the program's end; each screen that was shown is kept in `seen`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not (until and any(until in line for line in self.screen.lines)):
            if not select.select([self._ours], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(self._ours, 65536)
            except OSError:  # the program has ended
                break
            if not data:
                break
            text = data.decode("utf-8", "replace").replace("\r\n", "\n\r")
            self.said += text
            self.screen.feed(text)
            self.seen.append(list(self.screen.lines))
        return "\n".join(self.screen.lines)

    def press(self, keys):
        os.write(self._ours, keys)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
