"""One question to the warehouse in SQL, with limits: it can only read, and its time and memory are bounded."""

import contextlib
import os
import re
import resource
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import duckdb
from duckdb.sqltypes import DuckDBPyType

from xai_assets.errors import XaiError
from xai_assets.resources.warehouse_catalog import Catalog, quoted
from xai_assets.resources.warehouse_copy import copied
from xai_assets.resources.warehouse_errors import WarehouseError, file_error, first_line, of_file
from xai_assets.resources.warehouse_file import Config, Notice, opened
from xai_assets.resources.warehouse_upgrade import newer
from xai_assets.text import printable

MOST_MEMORY = 2 * 2**30
"""Bytes that DuckDB may hold, and beyond which it writes to a temporary folder."""

MOST_ADDRESSES = 2 * MOST_MEMORY
"""Bytes that the process may grow by during a query: single values are not under DuckDB's own limit."""

GRACE_SECONDS = 10.0
"""How long a query that was stopped may go on."""

BATCH = 1000
"""Rows that are fetched at once."""

_CALLS = {
    "enable_logging", "disable_logging", "truncate_duckdb_logs", "write_log", "enable_profiling", "enable_profile",
    "disable_profiling", "disable_profile", "checkpoint", "force_checkpoint", "query", "set_config",
}  # fmt: skip
"""Functions that change how DuckDB works, write files, or run SQL that is made as text."""

_KEPT = {
    "boolean", "tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint",
    "uhugeint", "float", "double",
}  # fmt: skip
"""Types whose values come as they are. All others come as DuckDB writes them: Python has no date after the year 9999 or
before 1, no month as an interval, no infinite time and no nanosecond."""


class QueryError(XaiError):
    """A query that is wrong, is refused, or took too long."""


@dataclass
class Rows:
    """What a query gives.

    Attributes:
        columns: names, of which some may be equal.
        batches: rows in lists; read once, inside the `with` that gave it.
    """

    columns: list[str]
    batches: Iterator[list[tuple[Any, ...]]]


@contextmanager
def asked(
    path: Path, sql: str, *, seconds: float, wait: float, notice: Notice, ends: bool = False
) -> Iterator[Rows]:
    """The rows of one SELECT over a copy of the warehouse.

    Values are booleans, whole numbers, floats, text and None, or lists and dicts of these. Of a database that is too
    large to copy, the file itself is read, and a run that would write waits.

    Args:
        path: the warehouse.
        sql: one statement of DuckDB's SQL that only reads.
        seconds: after so many it is stopped, the fetching of its rows included.
        wait: seconds to wait for a program that has the warehouse open.
        notice: told what is waited for, and of a file of a newer version.
        ends: end the process, with exit code 2, where the query goes on although it was stopped, as within one huge
            value. For the command line only.

    Raises:
        WarehouseError: the file is absent, held, or damaged.
        QueryError: the query is not one SELECT, is wrong, takes too long, or needs too much memory.
    """
    with contextlib.ExitStack() as stack:
        spill = stack.enter_context(tempfile.TemporaryDirectory(prefix="xai-sql-"))
        copy = stack.enter_context(copied(path, wait=wait, notice=notice))
        if copy is None:
            notice(
                f"The warehouse {path} is too large to copy: until this query ends, runs wait to write to it."
            )
        stack.enter_context(_bounded())
        file = opened(copy or path, write=False, wait=wait, notice=notice, config=_config(spill))
        try:
            connection = stack.enter_context(file)
            said = newer(Catalog(connection), path)
        except WarehouseError as error:  # of the copy, by its name
            raise WarehouseError(f"warehouse {path}", error.why, error.remedy) from error
        except duckdb.Error as error:
            raise file_error(path, error, write=False) from error
        if said:
            notice(f"{said.what}: {said.why}. Names and meanings of columns may differ.")
        folders = [Path(spill), *([copy.parent] if copy else [])]
        clock = _Clock(connection, seconds, folders, ends)
        stack.callback(clock.stop)
        with _in_our_words(path, clock):
            statement = _one_select(connection, sql)
            relation = connection.from_query(statement)
            columns = list(relation.columns)
            casts = [f"CAST(#{at} AS {_plain(kind)})" for at, kind in enumerate(relation.types, 1)]
            relation = relation.project(", ".join(casts))
        yield Rows(columns, _batches(path, relation, clock))


def _config(spill: str) -> Config:
    return {
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "lock_configuration": "true",
        "memory_limit": f"{MOST_MEMORY // 2**20}MiB",
        "temp_directory": spill,
        "max_temp_directory_size": f"{4 * MOST_MEMORY // 2**20}MiB",
    }


def _batches(
    path: Path, relation: duckdb.DuckDBPyRelation, clock: "_Clock"
) -> Iterator[list[tuple[Any, ...]]]:
    while True:
        with _in_our_words(path, clock):
            rows = relation.fetchmany(BATCH)
        if not rows:
            return
        yield rows


class _Clock:
    """Interrupts a connection when its time is over."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, seconds: float, folders: list[Path], ends: bool
    ) -> None:
        self.seconds, self.over = seconds, False
        self._connection, self._folders, self._ends = connection, folders, ends
        self._done = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        if self._done.wait(self.seconds):
            return
        self.over = True
        self._connection.interrupt()
        if self._ends and not self._done.wait(GRACE_SECONDS):
            self._end()

    def _end(self) -> None:
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)
        os.write(
            2, f"the query: it did not end within {self.seconds:g} s, so the program was ended.\n".encode()
        )
        os._exit(2)

    def stop(self) -> None:
        self._done.set()


@contextmanager
def _in_our_words(path: Path, clock: _Clock) -> Iterator[None]:
    try:
        yield
        over = None
    except duckdb.Error as error:
        if not clock.over:
            _say(path, error)
        over = error
    except MemoryError as error:
        raise _too_much() from error
    if clock.over:
        why = f"it was stopped after {clock.seconds:g} s"
        raise QueryError("the query", why, "Ask for less, or give more: --timeout 600.") from over


def _say(path: Path, error: duckdb.Error) -> NoReturn:
    if isinstance(error, duckdb.OutOfMemoryException):
        raise _too_much() from error
    if of_file(error) and not isinstance(error, duckdb.InternalException):
        raise file_error(path, error, write=False) from error
    raise QueryError("the query", _cause(error), "Correct the query.") from error


def _too_much() -> QueryError:
    why = f"it needs more than {MOST_MEMORY / 2**30:g} GiB of memory"
    return QueryError("the query", why, "Ask for fewer rows or smaller values at once.")


def _cause(error: duckdb.Error) -> str:
    """DuckDB's message with the place of the mistake, without its stack."""
    text = str(error).split("\n\nStack Trace")[0].strip()
    return printable(text, lines=True)[:1500].rstrip(".!") or first_line(error)


def _one_select(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    statements = connection.extract_statements(sql)
    kinds = [statement.type.name for statement in statements]
    if kinds == ["SELECT"]:
        called = _calls(sql) & _CALLS
        if not called:
            return str(statements[0].query)
        why = f"it calls {', '.join(sorted(called))}, which does more than read"
    elif not kinds:
        why = "it is empty"
    elif len(kinds) > 1:
        why = f"it is {len(kinds)} statements ({', '.join(kinds)})"
    else:
        why = f"it is no SELECT ({kinds[0]})"
    raise QueryError("the query", why, "Give one SELECT, such as: SELECT count(*) FROM maps")


def _calls(sql: str) -> set[str]:
    """Names before an opening bracket, in lower case, as DuckDB's tokens have them: no comment hides one."""
    text = sql.encode()
    starts = [start for start, _ in duckdb.tokenize(sql)]
    words = [
        text[a:b].decode(errors="replace") for a, b in zip(starts, [*starts[1:], len(text)], strict=True)
    ]
    found = set()
    for word, after in pairwise(words):
        name = re.match(r'"?(\w+)"?', word)
        if name and after.startswith("("):
            found.add(name[1].lower())
    return found


def _plain(kind: DuckDBPyType) -> str:
    """The type to cast to: the same shape, of values that Python, JSON and CSV have."""
    if kind.id in _KEPT:
        return str(kind)
    if kind.id in ("list", "array"):
        return f"{_plain(kind.children[0][1])}[]"
    if kind.id == "map":
        return f"MAP(VARCHAR, {_plain(dict(kind.children)['value'])})"
    if kind.id == "struct" and all(name for name, _ in kind.children):
        return f"STRUCT({', '.join(f'{quoted(name)} {_plain(of)}' for name, of in kind.children)})"
    return "VARCHAR"


@contextmanager
def _bounded() -> Iterator[None]:
    """Let the process grow by so much at most; where the system has no such limit, DuckDB's own is left."""
    try:
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limits = [limit for limit in (soft, hard, now + MOST_ADDRESSES) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
