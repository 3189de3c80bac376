"""What a warehouse's file holds, and its statements: every name with its database and schema.

People keep schemas of their own in the file (`CREATE SCHEMA backup`), with tables of the same names. Only the schema
`main` is ours, and in it only what is declared.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb

from xai_assets.files import fingerprint
from xai_assets.resources.tables import TABLES
from xai_assets.resources.views import VIEWS

SCHEMA = "main"


@dataclass(frozen=True)
class Stored:
    """A column as it is in the file."""

    name: str
    type: str
    nullable: bool
    comment: str | None
    default: str | None


@dataclass(frozen=True)
class Catalog:
    """What is in the schema `main` of the file that a connection has open; names are compared without their case."""

    connection: duckdb.DuckDBPyConnection

    @cached_property
    def database(self) -> str:
        """DuckDB's name of the file."""
        (row,) = self.connection.execute("SELECT current_database()").fetchall()
        return str(row[0])

    def full(self, name: str) -> str:
        """The quoted name of a table or view, with its database and schema."""
        return f"{quoted(self.database)}.{quoted(SCHEMA)}.{quoted(name)}"

    def tables(self) -> set[str]:
        """The tables, in lower case."""
        return {row[0].lower() for row in self._rows("SELECT table_name FROM duckdb_tables()", "")}

    def views(self) -> set[str]:
        """The views, in lower case."""
        return {row[0].lower() for row in self._rows("SELECT view_name FROM duckdb_views()", "")}

    def columns(self, name: str) -> dict[str, Stored]:
        """The columns of a table or view by their name in lower case, in order; none of one that is absent."""
        return self.all_columns().get(name.lower(), {})

    def all_columns(self) -> dict[str, dict[str, Stored]]:
        """The same of every table and view, by its name in lower case."""
        what = "table_name, column_name, data_type, is_nullable, comment, column_default"
        found: dict[str, dict[str, Stored]] = {}
        for table, *rest in self._rows(
            f"SELECT {what} FROM duckdb_columns()", "ORDER BY table_name, column_index"
        ):
            stored = Stored(*rest)
            found.setdefault(table.lower(), {})[stored.name.lower()] = stored
        return found

    def indexes(self, table: str) -> list[tuple[str, str, str | None]]:
        """A table's indexes that people have made: name, statement, comment."""
        what = "SELECT index_name, sql, comment FROM duckdb_indexes()"
        which = "AND lower(table_name) = lower($name) AND sql IS NOT NULL ORDER BY index_oid"
        return self._rows(what, which, name=table)

    def free(self, wanted: str) -> str:
        """`wanted`, or with a number after it where there is something of that name."""
        taken = self.tables() | self.views()
        names = [wanted, *(f"{wanted}_{number}" for number in range(2, len(taken) + 3))]
        return next(name for name in names if name.lower() not in taken)

    def state(self) -> str:
        """A hash of what is declared, as it is in the file: columns, types, comments, and the views' queries."""
        names = [name.lower() for name in (*TABLES, *VIEWS)]
        parts = (
            ("duckdb_columns()", "table_name", "column_name, data_type, is_nullable, comment"),
            ("duckdb_tables()", "table_name", "comment"),
            # DuckDB prints a view that it has read from the file with other quotes, brackets and spaces than one that it
            # has just made.
            ("duckdb_views()", "view_name", r"comment, regexp_replace(sql, '[\s\"()]', '', 'g')"),
        )
        found = [
            self._rows(
                f"SELECT {name}, {rest} FROM {of}", f"AND list_contains($names, lower({name}))", names=names
            )
            for of, name, rest in parts
        ]
        return fingerprint([sorted(map(str, rows)) for rows in found])

    def _rows(self, select: str, where: str, **values: object) -> list[Any]:
        mine = f"{select} WHERE database_name = $database AND schema_name = $schema {where}"
        return self.connection.execute(
            mine, {"database": self.database, "schema": SCHEMA, **values}
        ).fetchall()


def quoted(name: str) -> str:
    """A name as SQL takes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL takes it; COMMENT and DEFAULT take no parameters."""
    return "'" + text.replace("'", "''") + "'"
