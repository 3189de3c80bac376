"""The warehouse: DuckDB tables that reports and people read, written one transaction a study.

DuckDB lets one process write or many read. A lock file is held over every open to close, so that runs on one host
wait for one another instead of failing, and a reader never sees half a study.
"""

import fcntl
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd  # noqa: TID253 -- assets import this module inside their functions

from xai_assets.errors import XaiError
from xai_assets.resources.tables import TABLES


class WarehouseError(XaiError):
    """Rows that do not fit their table, or a warehouse that is not there."""


@dataclass(frozen=True)
class Warehouse:
    """The tables of `TABLES` in one DuckDB file.

    Attributes:
        path: the file; a `.lock` stands beside it.
    """

    path: Path

    @contextmanager
    def _connect(self, *, write: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(self.path.name + ".lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX if write else fcntl.LOCK_SH)
            # No extension, no file and no network access from a query.
            connection = duckdb.connect(
                str(self.path),
                read_only=not write,
                config={"enable_external_access": "false", "autoinstall_known_extensions": "false"},
            )
            try:
                yield connection
            finally:
                connection.close()

    def replace(self, study: str, frames: Mapping[str, pd.DataFrame]) -> dict[str, int]:
        """Put the rows of `study` in place of those that were there, in all the tables or in none.

        Args:
            study: the study's name.
            frames: rows by table; every declared column but `study`, in any order.

        Returns:
            The number of rows by table.

        Raises:
            WarehouseError: for an unknown table, missing or extra columns, NULL where there may be none, and for
                infinities. NaN in a nullable column becomes NULL; in another it is refused.
        """
        ready = {name: _fit(name, frame, study) for name, frame in frames.items()}
        with self._connect(write=True) as connection:
            connection.begin()
            try:
                for name, frame in ready.items():
                    for statement in _create(name):
                        connection.execute(statement)
                    connection.execute(f'DELETE FROM "{name}" WHERE study = ?', [study])
                    if len(frame):
                        connection.register("rows_to_insert", frame)
                        connection.execute(f'INSERT INTO "{name}" BY NAME SELECT * FROM rows_to_insert')
                        connection.unregister("rows_to_insert")
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
        return {name: len(frame) for name, frame in ready.items()}

    def read(self, study: str) -> dict[str, pd.DataFrame]:
        """All rows of `study` by table, in the order in which they were written; absent tables are empty."""
        empty = {name: pd.DataFrame(columns=list(table.columns)) for name, table in TABLES.items()}
        if not self.path.is_file():
            return empty
        with self._connect(write=False) as connection:
            present = {
                row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
            }
            for name in empty.keys() & present:
                query = f'SELECT * EXCLUDE (study) FROM "{name}" WHERE study = ? ORDER BY rowid'
                empty[name] = connection.execute(query, [study]).df()
        return empty


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


def _quoted(text: str) -> str:
    """A literal of our own declarations; COMMENT takes no parameters."""
    return "'" + text.replace("'", "''") + "'"


def _fit(name: str, frame: pd.DataFrame, study: str) -> pd.DataFrame:
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
    ordered = frame[list(declared)].copy()
    for column, spec in declared.items():
        # Object columns of one NULL would be typed INTEGER by DuckDB's sniffing; pandas' own types say what is meant.
        dtype = {"VARCHAR": "string", "DOUBLE": "Float64", "BIGINT": "Int64", "BOOLEAN": "boolean"}[spec.type]
        ordered[column] = ordered[column].astype(dtype)
    ordered.insert(0, "study", study)
    return ordered
