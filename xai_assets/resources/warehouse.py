"""The warehouse: DuckDB tables and views that reports and people read, written one transaction a study.

A warehouse of an older version has tables where there are views now (clip_dissect, netdissect). The first load of
`unit_concepts` drops them: their rows are made again by a run of their study.
"""

import logging
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb
import pandas as pd  # noqa: TID253 -- assets import this module inside their functions

from xai_assets.resources.tables import TABLES
from xai_assets.resources.views import PLACE, VIEWS
from xai_assets.resources.warehouse_errors import WarehouseError
from xai_assets.resources.warehouse_file import WAIT_SECONDS, Notice, opened

__all__ = ["Scope", "Warehouse", "WarehouseError"]

_log = logging.getLogger(__name__)

_BASE = "unit_concepts"
"""The table that all views are made of."""

Scope = Mapping[str, Sequence[str]]
"""The values that some columns may have: the part of a study's rows that a load replaces."""


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
            WarehouseError: for an unknown table, missing or extra columns, NULL where there may be none, a key twice,
                a row outside its scope, and for infinities. NaN in a nullable column becomes NULL; in another it is
                refused.
        """
        scopes = within or {}
        ready = {name: _fit(name, frame, study, scopes.get(name, {})) for name, frame in frames.items()}
        with self._connect(write=True) as connection:
            connection.begin()
            try:
                for name, frame in ready.items():
                    _bring_up_to_date(connection, name)
                    for statement in _create(name):
                        connection.execute(statement)
                    where, values = _condition(study, scopes.get(name, {}))
                    connection.execute(f'DELETE FROM "{name}" WHERE {where}', values)
                    if len(frame):
                        connection.register("rows_to_insert", frame)
                        connection.execute(f'INSERT INTO "{name}" BY NAME SELECT * FROM rows_to_insert')
                        connection.unregister("rows_to_insert")
                if _BASE in ready:
                    tables = _names(connection, "table")
                    for name in VIEWS:
                        if name in tables:
                            connection.execute(f'DROP TABLE "{name}"')
                        for statement in _create_view(name):
                            connection.execute(statement)
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
        return {name: len(frame) for name, frame in ready.items()}

    def read(self, study: str) -> dict[str, pd.DataFrame]:
        """All rows of `study` by table and view, in the order in which they were written; what is absent is empty."""
        empty = {name: pd.DataFrame(columns=list(table.columns)) for name, table in TABLES.items()}
        empty |= {name: pd.DataFrame(columns=_shown(name)) for name in VIEWS}
        if not self.exists():
            return empty
        with self._connect(write=False) as connection:
            for name in TABLES.keys() & _names(connection, "table"):
                query = f'SELECT * EXCLUDE (study) FROM "{name}" WHERE study = ? ORDER BY rowid'
                empty[name] = connection.execute(query, [study]).df()
            for name in VIEWS.keys() & _names(connection, "view"):
                order = PLACE if PLACE in VIEWS[name].columns else "ALL"
                shown = ", ".join(f'"{column}"' for column in _shown(name))
                query = f'SELECT {shown} FROM "{name}" WHERE study = ? ORDER BY {order}'
                empty[name] = connection.execute(query, [study]).df()
        return empty

    def query(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The columns and rows of a query, which can read the tables and nothing else.

        Raises:
            WarehouseError: there is no warehouse.
            duckdb.Error: the query is wrong, or would write.
        """
        with self._connect(write=False) as connection:
            result = connection.execute(sql)
            return [column[0] for column in result.description], result.fetchall()

    def studies(self) -> list[str]:
        """The studies that have unit concepts, in alphabetical order."""
        if not self.exists():
            return []
        with self._connect(write=False) as connection:
            if _BASE not in _names(connection, "table"):
                return []
            query = f'SELECT DISTINCT study FROM "{_BASE}" ORDER BY study'
            return [row[0] for row in connection.execute(query).fetchall()]


def _bring_up_to_date(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Give a table of an older version the declared columns; `_create` follows.

    Its rows are kept where every column that they lack may be NULL. Otherwise they go: they could not say what the
    table is now for, and a run makes them again.
    """
    query = "SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE table_name = ?"
    found = {row[0]: row[1:] for row in connection.execute(query, [name]).fetchall()}
    declared = {"study": ("VARCHAR", False)} | {
        c: (s.type, s.nullable) for c, s in TABLES[name].columns.items()
    }
    if found == declared or name not in _names(connection, "table"):
        return
    keep = all(nullable or c in found for c, (_, nullable) in declared.items())
    if keep:
        shared = ", ".join(f'"{column}"' for column in declared if column in found)
        connection.execute(f'CREATE TEMPORARY TABLE older AS SELECT {shared} FROM "{name}"')
    connection.execute(f'DROP TABLE "{name}"')
    if keep:
        for statement in _create(name):
            connection.execute(statement)
        connection.execute(f'INSERT INTO "{name}" BY NAME SELECT * FROM older')
        connection.execute("DROP TABLE older")


def _names(connection: duckdb.DuckDBPyConnection, kind: Literal["table", "view"]) -> set[str]:
    return {row[0] for row in connection.execute(f"SELECT {kind}_name FROM duckdb_{kind}s()").fetchall()}


def _shown(view: str) -> list[str]:
    return [column for column in VIEWS[view].columns if column not in ("study", PLACE)]


def _condition(study: str, scope: Scope) -> tuple[str, list[object]]:
    parts = ["study = ?", *(f'"{column}" IN (SELECT unnest(?))' for column in scope)]
    return " AND ".join(parts), [study, *(list(values) for values in scope.values())]


def _create(name: str) -> list[str]:
    table = TABLES[name]
    columns = ["study VARCHAR NOT NULL"] + [
        f'"{column}" {spec.type}{"" if spec.nullable else " NOT NULL"}'
        for column, spec in table.columns.items()
    ]
    comments = [
        f'COMMENT ON COLUMN "{name}"."{c}" IS {_quoted(spec.comment)}' for c, spec in table.columns.items()
    ]
    return [
        f'CREATE TABLE IF NOT EXISTS "{name}" ({", ".join(columns)})',
        f'COMMENT ON TABLE "{name}" IS {_quoted(table.comment)}',
        *comments,
    ]


def _create_view(name: str) -> list[str]:
    view = VIEWS[name]
    names = ", ".join(f'"{column}"' for column in view.columns)
    return [
        f'CREATE OR REPLACE VIEW "{name}" ({names}) AS {view.query}',
        f'COMMENT ON VIEW "{name}" IS {_quoted(view.comment)}',
        *(f'COMMENT ON COLUMN "{name}"."{c}" IS {_quoted(text)}' for c, text in view.columns.items()),
    ]


def _quoted(text: str) -> str:
    """A literal of our own declarations; COMMENT takes no parameters."""
    return "'" + text.replace("'", "''") + "'"


def _fit(name: str, frame: pd.DataFrame, study: str, scope: Scope) -> pd.DataFrame:
    if name not in TABLES:
        raise WarehouseError(
            f"table {name}", "is not declared", "Declare it in xai_assets/resources/tables.py."
        )
    declared = TABLES[name].columns
    missing, extra = (
        sorted(declared.keys() - set(frame.columns)),
        sorted(set(frame.columns) - declared.keys()),
    )
    if missing or extra:
        why = f"columns missing: {missing}, not declared: {extra}"
        raise WarehouseError(f"table {name}", why, "Mend the asset that makes the rows, or the declaration.")
    for column, spec in declared.items():
        values = frame[column]
        if not spec.nullable and values.isna().any():
            row = int(values.isna().to_numpy().argmax())
            raise WarehouseError(
                f"table {name}, column {column}",
                f"no value in row {row}",
                "Such a row must be excluded and counted.",
            )
        if spec.type == "DOUBLE" and any(isinstance(v, float) and math.isinf(v) for v in values):
            raise WarehouseError(f"table {name}, column {column}", "an infinite value", "Mend what made it.")
    _check_rows(name, frame, scope)
    ordered = frame[list(declared)].copy()
    for column, spec in declared.items():
        # Object columns of one NULL would be typed INTEGER by DuckDB's sniffing; pandas' own types say what is meant.
        dtype = {"VARCHAR": "string", "DOUBLE": "Float64", "BIGINT": "Int64", "BOOLEAN": "boolean"}[spec.type]
        ordered[column] = ordered[column].astype(dtype)
    ordered.insert(0, "study", study)
    return ordered


def _check_rows(name: str, frame: pd.DataFrame, scope: Scope) -> None:
    for column, values in scope.items():
        outside = frame.loc[~frame[column].isin(list(values)), column]
        if len(outside):
            raise WarehouseError(
                f"table {name}, column {column}",
                f"{outside.iloc[0]!r} lies outside of what is replaced ({', '.join(values)})",
                "Load it with a scope of its own.",
            )
    key = list(TABLES[name].key)
    if key and frame.duplicated(key).any():
        row = frame[frame.duplicated(key)].iloc[0]
        raise WarehouseError(
            f"table {name}",
            "two rows for " + ", ".join(f"{column} {row[column]}" for column in key),
            "Give one row for each.",
        )
