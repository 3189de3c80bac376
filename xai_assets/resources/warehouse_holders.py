"""Who holds the warehouse: the process and its program, from the kernel's tables and from DuckDB's message."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from xai_assets.text import printable

SHOWN = 80
"""Characters of a command line that are shown."""

_PID = re.compile(r"\(PID (\d+)\)")


@dataclass(frozen=True)
class Held:
    """Somebody holds it.

    Attributes:
        processes: their numbers, in order; empty where they are not known, as on another host or in a container.
        taken: when the lock was last taken for writing, in nanoseconds; 0 where it is not known.
    """

    processes: tuple[int, ...] = ()
    taken: int = 0


def duckdb_holder(error: duckdb.Error) -> Held | None:
    """Who has the lock that DuckDB could not take; None for any other error."""
    text = str(error)
    if "Could not set lock on file" not in text and "being used by another process" not in text:
        return None
    return Held(tuple(int(found) for found in _PID.findall(text)))


def lock_holders(file: Path) -> tuple[int, ...]:
    """The processes that hold a lock on the file, by Linux's /proc/locks; empty where it does not say."""
    try:
        inode = os.stat(file)
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return ()
    device = f"{os.major(inode.st_dev):02x}:{os.minor(inode.st_dev):02x}:{inode.st_ino}"
    # 1: FLOCK  ADVISORY  WRITE 4711 fd:01:1234 0 EOF; a line with an arrow is somebody who waits
    fields = [line.split() for line in lines if "->" not in line]
    found = {int(row[4]) for row in fields if len(row) > 5 and row[5] == device}
    return tuple(sorted(pid for pid in found if pid > 0))


def in_words(held: Held) -> str:
    """The holders as a subject: `process 4711 (python notebook.py)`."""
    if not held.processes:
        return "another program"
    named = [f"process {pid}" + (f" ({name})" if (name := _program(pid)) else "") for pid in held.processes]
    return " and ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")


def _program(pid: int) -> str:
    """The command line, shortened; empty where it cannot be read."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    words = raw.decode("utf-8", "surrogateescape").rstrip("\0").split("\0")
    text = printable(" ".join([Path(words[0]).name, *words[1:]]).replace("\n", " "))
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
