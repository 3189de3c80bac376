"""Opening the warehouse's file: who waits for whom, and what is said of a file that cannot be opened.

DuckDB lets one process write or many read, and refuses everybody else at once. Here they wait. A lock file beside the
warehouse puts the product's own processes in order; programs that do not know it (a notebook, DuckDB's shell) hold
DuckDB's own lock, which is waited for as well. Readers use the lock file where it is there, and make none: whoever may
only read can read, and DuckDB's lock keeps them from half a write.
"""

import fcntl
import os
import random
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import duckdb

from xai_assets.resources.warehouse_errors import WarehouseError, file_error, of_file, unreadable
from xai_assets.resources.warehouse_holders import Held, duckdb_holder, in_words, lock_holders

WAIT_SECONDS = 60.0
"""How long a warehouse that somebody else holds is waited for, unless XAI_WAREHOUSE_WAIT says otherwise."""

QUIET_SECONDS, QUIET_AMONG_OURS = 1.0, 10.0
"""A wait that is shorter is not worth a line; our own processes load a study each, and are soon done."""

Config = dict[str, str | bool | int | float | list[str]]
CONFIG: Config = {
    # No extension, no file and no network access from a query.
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
}

T = TypeVar("T")
Notice = Callable[[str], None]
"""Called with a line for people: what is waited for, what an upgrade has changed."""

_here = threading.RLock()
"""One thread of a process at a time: DuckDB refuses two ways of opening a file in one process."""


def _forget_threads() -> None:
    global _here
    _here = threading.RLock()


os.register_at_fork(after_in_child=_forget_threads)


@contextmanager
def opened(
    path: Path,
    *,
    write: bool,
    wait: float = WAIT_SECONDS,
    notice: Notice = lambda line: None,
    config: Config = CONFIG,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the warehouse, closed at the end.

    Args:
        path: the file; it and its folder are made for a writer.
        write: to write, which nobody else may do or read meanwhile.
        wait: seconds to wait for whoever holds it; the clock starts again when somebody else has it.
        notice: told what is waited for.
        config: DuckDB's settings.

    Raises:
        WarehouseError: the file is absent (to a reader), held, damaged, of another format, or may not be opened.
    """
    take = partial(connect, config=config)
    with _here, locked(path, write=write, wait=wait, notice=notice, take=take) as connection:
        try:
            yield connection
        except duckdb.Error as error:
            if of_file(error):
                raise file_error(path, error, write=write) from error
            raise
        finally:
            connection.close()


@contextmanager
def locked(
    path: Path, *, write: bool, wait: float, notice: Notice, take: Callable[[Path, bool], T | Held]
) -> Iterator[T]:
    """What `take` gives, called again and again while somebody holds the file; the lock file is held until the end.

    Raises:
        WarehouseError: as `opened`.
    """
    _look(path, write=write)
    path = path.resolve()  # the lock and DuckDB's log stand beside the file, by whichever link it was named
    started = time.monotonic()
    deadline, before, said = started + wait, Held(), False
    while True:
        lock, got = _both(path, write, take)
        if not isinstance(got, Held):
            break
        now = time.monotonic()
        if got != before:
            deadline, before = now + wait, got
        if os.getpid() in got.processes or now >= deadline:
            raise _held(path, got, now - started, write=write)
        quiet = QUIET_AMONG_OURS if got.taken else QUIET_SECONDS
        if not said and now - started > quiet:
            notice(f"The warehouse {path} is open in {in_words(got)}: waiting up to {wait:.0f} s for it.")
            said = True
        time.sleep(random.uniform(0.01, 0.05))  # noqa: S311 -- several that wait should not ask in step
    try:
        yield got
    finally:
        if lock is not None:
            os.close(lock)


def _both(path: Path, write: bool, take: Callable[[Path, bool], T | Held]) -> tuple[int | None, T | Held]:
    """The lock file's descriptor and what `take` gives; no lock is kept where somebody holds the file."""
    lock = _lock(path, write=write)
    if isinstance(lock, Held):
        return None, lock
    got: T | Held = Held()
    try:
        got = take(path, write)
    finally:
        if isinstance(got, Held) and lock is not None:
            os.close(lock)  # others of ours need not wait behind us for a notebook
    return lock, got


def _look(path: Path, *, write: bool) -> None:
    """Refuse what is no file before anything opens it: a pipe would block for ever."""
    try:
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        if path.is_symlink():
            raise WarehouseError(
                f"warehouse {path}",
                f"it is a link to {os.readlink(path)}, which does not exist",
                "Restore what it links to, or remove the link: a run makes a new warehouse.",
            ) from error
        if not write:
            raise WarehouseError(
                f"warehouse {path}", "it does not exist", "Run a study, which makes it."
            ) from error
        return
    except OSError as error:
        raise unreadable(path, error, write=write) from error
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "no regular file (a pipe, a socket or a device)"
        raise WarehouseError(
            f"warehouse {path}", f"it is {kind}", "Set XAI_WAREHOUSE to a file, or move this aside."
        )


def _lock(path: Path, *, write: bool) -> int | Held | None:
    """The lock file's descriptor with the lock taken, who has it, or None: a reader goes without a lock file."""
    file = path.with_name(path.name + ".lock")
    try:
        handle = _open_lock(file, write=write)
    except OSError as error:
        if not write:
            return None
        raise unreadable(path, error, write=True) from error
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if write else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        taken = os.fstat(handle).st_mtime_ns
        os.close(handle)
        return Held(lock_holders(file), taken)
    except OSError:  # a file system without such locks: DuckDB's own is left
        os.close(handle)
        return None
    if write:
        # Tells those who wait that the lock went on from hand to hand, so that nobody gives up on a busy warehouse.
        with suppress(PermissionError):  # another user's file: who waits sees other process numbers
            os.utime(handle)
    return handle


def _open_lock(file: Path, *, write: bool) -> int:
    flags = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    if not write:
        return os.open(file, os.O_RDONLY | flags)
    try:
        return os.open(file, os.O_RDWR | os.O_CREAT | flags, 0o666)
    except OSError as error:
        try:
            # Another user's: the kernel locks a file that is open for reading just as well.
            return os.open(file, os.O_RDONLY | flags)
        except OSError:
            raise error from None


def connect(path: Path, write: bool, config: Config = CONFIG) -> duckdb.DuckDBPyConnection | Held:
    """A connection, or who holds the file; does not wait.

    Raises:
        WarehouseError: as `opened`.
    """
    try:
        return duckdb.connect(str(path), read_only=not write, config=config)
    except duckdb.ConnectionException as error:  # opened otherwise by this very process
        if "different configuration" in str(error):
            return Held((os.getpid(),))
        raise file_error(path, error, write=write) from error
    except duckdb.Error as error:
        holder = duckdb_holder(error)
        if holder is not None:
            return holder
        raise file_error(path, error, write=write) from error


def _held(path: Path, held: Held, waited: float, *, write: bool) -> WarehouseError:
    if os.getpid() in held.processes:
        return WarehouseError(
            f"warehouse {path}",
            f"this program (process {os.getpid()}) has it open itself, by another connection",
            "Close that connection first (`connection.close()`).",
        )
    again = "re-execute the run from failure: what it computed is kept" if write else "try again"
    return WarehouseError(
        f"warehouse {path}",
        f"{in_words(held)} has it open, and did not close it within {waited:.0f} s",
        f"Close it there (in a notebook: `connection.close()`, or stop its kernel), then {again}. "
        "XAI_WAREHOUSE_WAIT sets how many seconds to wait.",
    )
