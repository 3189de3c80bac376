"""The SQLite files of the history: whether they are sound, and the one fault that is repaired.

No Dagster here except the name of one revision of its schema: a damaged file is found before Dagster opens it, since
Dagster's own errors name neither the file nor what to do.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from xai_assets.errors import XaiError

MAGIC = b"SQLite format 3\x00"
WHOLE_CHECK = 64 * 2**20
"""Bytes; up to here every page is checked (about 2 ms a MiB), of a larger file the first pages and the length."""

SECONDS_TO_WAIT = 30.0
FOREIGN_REVISION = "5771160a95ad"
"""The revision that Dagster writes beside the newest where two processes created the file at once."""


class HistoryError(XaiError):
    """A history of runs that cannot be opened."""

    @classmethod
    def damaged(cls, path: Path, why: str) -> "HistoryError":
        """The error for a file that is not a sound database."""
        folder = path.parent.parent if path.parent.name == "runs" else path.parent
        return cls(
            str(path),
            f"the history of runs is damaged: {why}",
            f"Move the folder away (mv '{folder}' '{folder}.damaged'): the next run begins a new history. Results, "
            "tables and reports are not in it and stay as they are.",
        )

    @classmethod
    def unusable(cls, folder: Path, error: Exception) -> "HistoryError":
        """The error for a folder that cannot be written to, or that is in use for too long."""
        reason = str(getattr(error, "orig", None) or getattr(error, "strerror", None) or error).splitlines()[
            0
        ]
        return cls(
            str(folder),
            f"the history of runs cannot be opened ({reason})",
            "Make the folder writable for this user, with room on its disk, or set DAGSTER_HOME or XAI_DATA to another.",
        )


def check_files(files: list[Path], *, repair: bool) -> None:
    """Check the databases that there are; a file that is absent is created by Dagster.

    Args:
        files: the database of the runs first.
        repair: remove the second revision that two processes left, and an empty file that a killed process left.

    Raises:
        HistoryError: a file is damaged, or cannot be read.
    """
    present = [path for path in files if path.exists() or path.is_symlink()]
    for path in present:
        try:
            if not path.is_file():
                raise HistoryError.damaged(path, "it is not a file")
            if path.stat().st_size == 0 and not _log(path):
                _empty(path, files, repair=repair)
            else:
                _check(path, repair=repair)
        except sqlite3.OperationalError as error:
            raise HistoryError.unusable(path.parent, error) from error
        except sqlite3.DatabaseError as error:
            raise HistoryError.damaged(path, str(error)) from error
        except OSError as error:
            raise HistoryError.unusable(path.parent, error) from error


def _check(path: Path, *, repair: bool) -> None:
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if start and start != MAGIC:
        raise HistoryError.damaged(path, "it is not an SQLite database")
    with closing(sqlite3.connect(path, timeout=SECONDS_TO_WAIT)) as database:
        if path.stat().st_size <= WHOLE_CHECK:
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise HistoryError.damaged(path, str(found).splitlines()[-1])
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "alembic_version" in tables:
            _one_revision(database, path, repair=repair)


def _one_revision(database: sqlite3.Connection, path: Path, *, repair: bool) -> None:
    revisions = {row[0] for row in database.execute("SELECT version_num FROM alembic_version")}
    if len(revisions) < 2:
        return
    if len(revisions) > 2 or FOREIGN_REVISION not in revisions:
        raise HistoryError.damaged(path, f"it names several versions of its schema: {sorted(revisions)}")
    if repair:  # the tables were created whole by whoever wrote the other revision
        with database:
            database.execute("DELETE FROM alembic_version WHERE version_num = ?", [FOREIGN_REVISION])


def _empty(path: Path, files: list[Path], *, repair: bool) -> None:
    """An empty file is what a process leaves that is killed while it creates the history, or a damaged one."""
    if path != files[0] and _holds_runs(files[0]):
        raise HistoryError.damaged(path, "it is empty, and there are runs")
    shards = list(files[0].parent.glob("runs/*-*.db"))
    if path == files[0] and shards:
        raise HistoryError.damaged(path, f"it is empty, and there are events of {len(shards)} runs")
    if repair:
        path.unlink()


def _holds_runs(runs: Path) -> bool:
    if not runs.is_file() or runs.stat().st_size == 0:
        return False
    with closing(sqlite3.connect(runs, timeout=SECONDS_TO_WAIT)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone():
            return False
        return database.execute("SELECT 1 FROM runs LIMIT 1").fetchone() is not None


def _log(path: Path) -> bool:
    """Whether SQLite's log beside the file holds what is not in it yet."""
    log = path.with_name(path.name + "-wal")
    return log.is_file() and log.stat().st_size > 0
