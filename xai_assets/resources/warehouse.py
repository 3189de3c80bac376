"""The warehouse: DuckDB tables and views that reports and people read, written one transaction a study.

What belongs elsewhere: opening and waiting (`warehouse_file`), older files (`migrations`, `warehouse_upgrade`), how rows
have to be (`warehouse_rows`), and reading (`warehouse_read`).
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd  # noqa: TID253 -- assets import this module inside their functions

from xai_assets.resources.tables import TABLES
from xai_assets.resources.views import BASE
from xai_assets.resources.warehouse_catalog import Catalog, quoted
from xai_assets.resources.warehouse_errors import WarehouseError, first_line
from xai_assets.resources.warehouse_file import WAIT_SECONDS, Notice, opened
from xai_assets.resources.warehouse_query import asked
from xai_assets.resources.warehouse_read import empty_tables, said_of_version, study_rows
from xai_assets.resources.warehouse_rows import Scope, fit
from xai_assets.resources.warehouse_upgrade import bring_up_to_date, newer

__all__ = ["Scope", "Warehouse", "WarehouseError"]

_log = logging.getLogger(__name__)
_STUDY = "study"


@dataclass(frozen=True)
class Warehouse:
    """The tables of `TABLES` in one DuckDB file.

    Attributes:
        path: the file; writers put a `.lock` beside it.
        wait: seconds to wait for a program that holds it.
        notice: called with a line for people: what is waited for, and what an upgrade of the file changed.
    """

    path: Path
    wait: float = WAIT_SECONDS
    notice: Notice = field(default=_log.warning, compare=False)

    def _connect(self, *, write: bool) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return opened(self.path, write=write, wait=self.wait, notice=self.notice)

    def exists(self) -> bool:
        """Whether there is anything at the path; what is there and is no warehouse is said when it is opened."""
        try:
            os.lstat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True  # a folder that may not be looked into: opening says so
        return True

    def replace(
        self, study: str, frames: Mapping[str, pd.DataFrame], *, within: Mapping[str, Scope] | None = None
    ) -> dict[str, int]:
        """Put the rows of `study` in place of those that were there, in all the tables or in none.

        Args:
            study: the study's name.
            frames: rows by table; every declared column but `study`, in any order.
            within: by table, the only part of the study's rows to replace; the new rows lie in it. The methods that a
                run computes do not touch what was imported, and the other way round.

        Returns:
            The number of rows by table.

        Raises:
            WarehouseError: as `opened`, for a file of a newer version, an unknown table, missing or extra columns, NULL
                where there may be none, a key twice, a row outside its scope, and for infinities. NaN in a nullable
                column becomes NULL; in another it is refused.
        """
        scopes = within or {}
        ready = {name: fit(name, frame, study, scopes.get(name, {})) for name, frame in frames.items()}
        with self._connect(write=True) as connection:
            for line in bring_up_to_date(connection, self.path):
                self.notice(line)
            connection.begin()
            try:
                for name, frame in ready.items():
                    self._replace(connection, name, frame, study, scopes.get(name, {}))
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
        return {name: len(frame) for name, frame in ready.items()}

    def _replace(
        self, connection: duckdb.DuckDBPyConnection, name: str, frame: pd.DataFrame, study: str, scope: Scope
    ) -> None:
        table = Catalog(connection).full(name)
        where, values = _condition(study, scope)
        connection.execute(f"DELETE FROM {table} WHERE {where}", values)
        if frame.empty:
            return
        connection.register("rows_to_insert", frame)
        try:
            connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM rows_to_insert")
        except duckdb.ConstraintException as error:
            raise WarehouseError(
                f"table {name}",
                f"a constraint or index that was added to it refuses rows of {study}: {first_line(error)}",
                "Drop what was added (`DROP INDEX ...`), or make it fit these rows, and load again.",
            ) from error
        finally:
            connection.unregister("rows_to_insert")

    def read(self, study: str) -> dict[str, pd.DataFrame]:
        """All rows of `study` by table and view, in the order in which they were written; what is absent is empty.

        A column that an older file lacks is NULL, and `notice` says to run the study again.

        Raises:
            WarehouseError: as `opened`, and for a file of a newer version.
        """
        if not self.exists():
            return empty_tables()
        with self._read() as catalog:
            found = study_rows(catalog, study)
            said = said_of_version(catalog, study, found)
        if said:
            self.notice(said)
        return found

    def query(self, sql: str, *, seconds: float = 60.0) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The columns and rows of one SELECT, which can read the tables and nothing else; see `asked`.

        Raises:
            WarehouseError: as `opened`.
            QueryError: the query is wrong, is no SELECT, or takes too long.
        """
        with asked(self.path, sql, seconds=seconds, wait=self.wait, notice=self.notice) as rows:
            return rows.columns, [row for batch in rows.batches for row in batch]

    def studies(self) -> list[str]:
        """The studies that have unit concepts, in alphabetical order."""
        return sorted(study for study, tables in self.rows().items() if BASE in tables)

    def rows(self) -> dict[str, dict[str, int]]:
        """How many rows each study has, by study and table; tables without rows of it are left out."""
        if not self.exists():
            return {}
        found: dict[str, dict[str, int]] = {}
        with self._read() as catalog:
            tables, stored = catalog.tables(), catalog.all_columns()
            for name in TABLES:
                if name in tables and _STUDY in stored[name]:
                    query = f"SELECT study, count(*) FROM {catalog.full(name)} GROUP BY study ORDER BY study"
                    for study, count in catalog.connection.execute(query).fetchall():
                        found.setdefault(study, {})[name] = count
        return found

    def remove(self, study: str) -> dict[str, int]:
        """Delete all rows of a study, imported ones as well, in one transaction; returns how many by table.

        Raises:
            WarehouseError: as `replace`.
        """
        if not self.exists():
            return {}
        with self._connect(write=True) as connection:
            for line in bring_up_to_date(connection, self.path):
                self.notice(line)
            catalog, removed = Catalog(connection), {}
            connection.begin()
            try:
                for name in TABLES:
                    where = f"FROM {catalog.full(name)} WHERE study = ?"
                    row = connection.execute(f"SELECT count(*) {where}", [study]).fetchone()
                    if row and row[0]:
                        connection.execute(f"DELETE {where}", [study])
                        removed[name] = int(row[0])
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
        return removed

    @contextmanager
    def _read(self) -> Iterator[Catalog]:
        with self._connect(write=False) as connection:
            catalog = Catalog(connection)
            refused = newer(catalog, self.path)
            if refused:
                raise refused
            yield catalog


def _condition(study: str, scope: Scope) -> tuple[str, list[object]]:
    parts = ["study = ?", *(f"{quoted(column)} IN (SELECT unnest(?))" for column in scope)]
    return " AND ".join(parts), [study, *(list(values) for values in scope.values())]
