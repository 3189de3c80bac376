"""The processes of a run as the kernel lists them: who started whom, and what each is."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

FORK_SERVER = "multiprocessing.forkserver"


@dataclass(frozen=True)
class Process:
    """A living process."""

    pid: int
    parent: int
    session: int
    command: str


def of_session(session):
    """The living processes of a session, those whose parent is gone as well."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended since it was listed
        if status[0] != "Z" and int(status[3]) == session:
            found.append(Process(int(folder.name), int(status[1]), session, command))
    return sorted(found, key=lambda process: process.pid)


def steps_of(session):
    """The processes of steps: what the session's fork servers have forked."""
    found = [process for process in of_session(session) if FORK_SERVER in process.command]
    return [process for process in found if process.parent in {other.pid for other in found}]


def kill(pid):
    """Kill it, as the kernel does when memory runs out; False where it was gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
