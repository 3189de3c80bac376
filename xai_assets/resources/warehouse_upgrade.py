"""Brings a warehouse's file to the tables that are declared today, without losing a row; says what it did."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version as package_version
from pathlib import Path

import duckdb

from xai_assets.files import fingerprint
from xai_assets.resources.columns import Column
from xai_assets.resources.migrations import CARRIED, FILLS, HISTORY, RENAMED, VERSION
from xai_assets.resources.tables import TABLES
from xai_assets.resources.views import VIEWS
from xai_assets.resources.warehouse_catalog import Catalog, Stored, literal, quoted
from xai_assets.resources.warehouse_errors import WarehouseError, first_line

STUDY = Column("VARCHAR", "the study")
"""The first column of every table."""

NAMED = 5
"""How many studies a line names."""

HISTORY_COLUMNS = {
    "version": ("INTEGER", "of the tables"),
    "code": ("VARCHAR", "version of xai-assets that wrote them"),
    "upgraded_at": ("TIMESTAMP", "when, UTC"),
    "declared": ("VARCHAR", "hash of the declarations"),
    "found": ("VARCHAR", "hash of the tables as they were left"),
    "note": ("VARCHAR", "what was carried over"),
}

Index = tuple[str, str, str | None]


def declared(name: str) -> dict[str, Column]:
    """All columns of a table, `study` first."""
    return {"study": STUDY, **TABLES[name].columns}


_DECLARED = fingerprint(
    [
        VERSION,
        {
            name: [TABLES[name].comment, [[c, *vars(s).values()] for c, s in declared(name).items()]]
            for name in TABLES
        },
        {name: vars(view) for name, view in VIEWS.items()},
    ]
)


def newest_version(catalog: Catalog) -> tuple[int, str]:
    """The version of the file's tables, 0 where it says none, and the code that wrote them."""
    if not {"version", "code"} <= catalog.columns(HISTORY).keys() or HISTORY not in catalog.tables():
        return 0, ""
    query = f"SELECT version, code FROM {catalog.full(HISTORY)} ORDER BY version DESC NULLS LAST, rowid DESC LIMIT 1"
    row = catalog.connection.execute(query).fetchone()
    return (int(row[0] or 0), str(row[1])) if row else (0, "")


def newer(catalog: Catalog, path: Path) -> WarehouseError | None:
    """What to say of a file of a newer version than this code's; None where it is not."""
    found, code = newest_version(catalog)
    if found <= VERSION:
        return None
    return WarehouseError(
        f"warehouse {path}",
        f"its tables are of version {found}, written by xai-assets {code}; this one ({_code()}) knows up to {VERSION}",
        f"Upgrade xai-assets to {code} or later, or set XAI_WAREHOUSE to another file. Nothing was changed.",
    )


def bring_up_to_date(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """Give the file today's tables and views; returns lines for people, none where it had them.

    Raises:
        WarehouseError: the file is of a newer version, or a change was refused; nothing was changed then.
    """
    catalog = Catalog(connection)
    refused = newer(catalog, path)
    if refused:
        raise refused
    if _as_left(catalog):
        return []
    tables, stored = catalog.tables(), catalog.all_columns()
    plans = [_plan(name, stored.get(name, {}), is_table=name in tables) for name in TABLES]
    notes: list[str] = []
    # DuckDB alters no table that has an index, nor a column whose index went in the same transaction. So indexes go
    # first and come back last; a process that is killed between leaves a table without its index, never without rows.
    former = (CARRIED.keys() | VIEWS.keys()) & catalog.tables()
    if catalog.columns(HISTORY) and not _has_history(catalog):
        former.add(HISTORY)
    altered = [plan.name for plan in plans if plan.alters] + sorted(former)
    indexes = [(name, index) for name in altered for index in catalog.indexes(name)]
    for _, (dropped, _, _) in indexes:
        connection.execute(f"DROP INDEX {catalog.full(dropped)}")
    moved: dict[str, str] = {}
    try:
        connection.begin()
        try:
            for plan in plans:
                _apply(catalog, plan, notes, moved)
            for name in CARRIED.keys() & catalog.tables():
                notes += _carry(catalog, name, moved)
            _views(catalog, notes, moved)
            if HISTORY in former:
                notes.append(_make_room(catalog, HISTORY, moved))
            _record(catalog, notes)
            connection.commit()
        except BaseException:
            connection.rollback()
            moved.clear()
            raise
    except duckdb.Error as error:
        raise WarehouseError(
            f"warehouse {path}",
            f"its tables could not be brought to version {VERSION}: {first_line(error)}",
            "Rename or drop what is in the way (it was added by hand), and load again. Nothing was changed.",
        ) from error
    finally:
        for table, index in indexes:
            notes += _index_again(catalog, table, index, moved.get(table, table))
    return notes


@dataclass
class Plan:
    """What a table that is in the file lacks.

    Attributes:
        name: the table.
        ours: whether there is a table of that name, and it has the column `study`.
        added: columns that are not there.
        renamed: older name and newer.
        converted: columns of another type.
        relaxed: columns that may be NULL now, or that are not declared, and would refuse new rows.
    """

    name: str
    ours: bool
    foreign: bool = False
    added: list[str] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    converted: list[str] = field(default_factory=list)
    relaxed: list[str] = field(default_factory=list)

    @property
    def alters(self) -> bool:
        """Whether the table has to be free of indexes."""
        return bool(self.foreign or self.renamed or self.converted or self.relaxed)


def _plan(name: str, stored: dict[str, Stored], *, is_table: bool) -> Plan:
    ours = is_table and "study" in stored
    plan = Plan(name, ours=ours, foreign=bool(stored) and not ours)
    if not plan.ours:
        return plan
    wanted = declared(name)
    for older, today in RENAMED.get(name, {}).items():
        if older in stored and today not in stored:
            plan.renamed.append((older, today))
            stored[today] = stored.pop(older)
    for column, spec in wanted.items():
        found = stored.get(column)
        if found is None:
            plan.added.append(column)
        elif found.type != spec.type:
            plan.converted.append(column)
        elif spec.nullable and not found.nullable:
            plan.relaxed.append(column)
    plan.relaxed += [
        found.name
        for c, found in stored.items()
        if c not in wanted and not found.nullable and found.default is None
    ]
    return plan


def _apply(catalog: Catalog, plan: Plan, notes: list[str], moved: dict[str, str]) -> None:
    run, table, wanted = catalog.connection.execute, catalog.full(plan.name), declared(plan.name)
    if plan.foreign:
        notes.append(_make_room(catalog, plan.name, moved))
    if not plan.ours:
        columns = [f"{quoted(c)} {s.type}{'' if s.nullable else ' NOT NULL'}" for c, s in wanted.items()]
        run(f"CREATE TABLE {table} ({', '.join(columns)})")
    said = []
    for older, today in plan.renamed:
        run(f"ALTER TABLE {table} RENAME COLUMN {quoted(older)} TO {quoted(today)}")
        said.append(f"{older} is {today} now")
    for column in plan.relaxed:
        run(f"ALTER TABLE {table} ALTER COLUMN {quoted(column)} DROP NOT NULL")
    for column in plan.converted:
        said.append(_convert(catalog, plan.name, column, wanted[column].type))
    for column in plan.added:
        run(f"ALTER TABLE {table} ADD COLUMN {quoted(column)} {wanted[column].type}")
    for column in plan.added:
        said += _fill(catalog, plan.name, column, wanted[column])
    if said and (rows := _rows_by_study(catalog, plan.name)):
        notes.append(
            f"Warehouse, table {plan.name}: {rows} carried over to version {VERSION}; {'; '.join(said)}."
        )
    _comment(
        catalog, plan.name, TABLES[plan.name].comment, {c: s.comment for c, s in wanted.items()}, kind="TABLE"
    )


def _fill(catalog: Catalog, name: str, column: str, spec: Column) -> list[str]:
    table, field_ = catalog.full(name), quoted(column)
    value = FILLS.get((name, column))
    if value:
        # The alias keeps the expression's columns apart from those of the table that is updated.
        older = f"(SELECT rowid AS at, {value} AS value FROM {table}) AS older"
        catalog.connection.execute(
            f"UPDATE {table} SET {field_} = older.value FROM {older} WHERE rowid = older.at"
        )
    row = catalog.connection.execute(f"SELECT count(*) FILTER ({field_} IS NULL) FROM {table}").fetchone()
    unknown = row[0] if row else 0
    if unknown and not spec.nullable:
        return [f"{column} is not known of {unknown} of them (NULL): run these studies again"]
    return [f"{column} added"]


def _convert(catalog: Catalog, name: str, column: str, to: str) -> str:
    """Change a column's type; values that do not come through as they are stay in a column of another name."""
    run, table, field_ = catalog.connection.execute, catalog.full(name), quoted(column)
    before = catalog.columns(name)[column.lower()]
    there_and_back = f"TRY_CAST(TRY_CAST({field_} AS {to}) AS {before.type})"
    row = run(f"SELECT count(*) FROM {table} WHERE {there_and_back} IS DISTINCT FROM {field_}").fetchone()
    lost = row[0] if row else 0
    if not lost:
        run(f"ALTER TABLE {table} ALTER COLUMN {field_} SET DATA TYPE {to} USING TRY_CAST({field_} AS {to})")
        return f"{column} is {to} now, which was {before.type}"
    taken, kept = catalog.columns(name), f"{column}_before_{VERSION}"
    while kept in taken:
        kept += "_"
    run(f"ALTER TABLE {table} RENAME COLUMN {field_} TO {quoted(kept)}")
    if not before.nullable:
        run(f"ALTER TABLE {table} ALTER COLUMN {quoted(kept)} DROP NOT NULL")
    run(f"ALTER TABLE {table} ADD COLUMN {field_} {to}")
    run(f"UPDATE {table} SET {field_} = TRY_CAST({quoted(kept)} AS {to})")
    return f"{lost} values of {column} are not the same as {to}: as they were, they are in the column {kept}"


def _carry(catalog: Catalog, name: str, moved: dict[str, str]) -> list[str]:
    """Rows of a table that is no more go to the table that took its place; the older table stays, renamed."""
    what, stored, run = CARRIED[name], catalog.columns(name), catalog.connection.execute
    wanted = declared(what.into)
    values = {c: f"TRY_CAST({quoted(c)} AS {s.type})" for c, s in wanted.items() if c in stored} | what.values
    needed = [c for c, s in wanted.items() if not s.nullable and c not in values]
    sources = {word for value in what.values.values() for word in re.findall(r"^\w+$", value)}
    if needed or not sources <= stored.keys():
        return [_make_room(catalog, name, moved)]  # of that name, but not from any version
    rows = _rows_by_study(catalog, name)
    into = catalog.full(what.into)
    select = ", ".join(f"{value} AS {quoted(column)}" for column, value in values.items())
    same = " AND ".join(f"there.{quoted(c)} = older.{quoted(c)}" for c in what.match)
    older = f"(SELECT {select}, rowid AS place FROM {catalog.full(name)}) AS older"
    run(
        f"INSERT INTO {into} BY NAME SELECT older.* EXCLUDE (place) FROM {older} "
        f"WHERE NOT EXISTS (SELECT 1 FROM {into} AS there WHERE {same}) ORDER BY place"
    )
    kept = _rename(catalog, name, f"{name}_before_{VERSION}", moved)
    if not rows:
        return []
    return [
        f"Warehouse, table {name}: {rows} carried over to {what.into}; the table as it was is kept as {kept}."
    ]


def _views(catalog: Catalog, notes: list[str], moved: dict[str, str]) -> None:
    for name, view in VIEWS.items():
        if name in catalog.tables():
            notes.append(_make_room(catalog, name, moved))
        names = ", ".join(quoted(column) for column in view.columns)
        catalog.connection.execute(f"CREATE OR REPLACE VIEW {catalog.full(name)} ({names}) AS {view.query}")
        _comment(catalog, name, view.comment, view.columns, kind="VIEW")


def _comment(catalog: Catalog, name: str, text: str, columns: dict[str, str], *, kind: str) -> None:
    full = catalog.full(name)
    statements = [f"COMMENT ON {kind} {full} IS {literal(text)}"]
    statements += [f"COMMENT ON COLUMN {full}.{quoted(c)} IS {literal(said)}" for c, said in columns.items()]
    catalog.connection.execute("; ".join(statements))


def _make_room(catalog: Catalog, name: str, moved: dict[str, str]) -> str:
    kept = _rename(catalog, name, f"{name}_kept", moved)
    return f"Warehouse: {name} was a table or view of other columns; it is kept as {kept}."


def _rename(catalog: Catalog, name: str, wanted: str, moved: dict[str, str]) -> str:
    kept = catalog.free(wanted)
    kind = "TABLE" if name in catalog.tables() else "VIEW"
    catalog.connection.execute(f"ALTER {kind} {catalog.full(name)} RENAME TO {quoted(kept)}")
    moved[name] = kept
    return kept


def _index_again(catalog: Catalog, table: str, index: Index, now: str) -> list[str]:
    name, statement, comment = index
    target = rf'(?i)(\bON\s+)(?:"?\w+"?\.)*"?{re.escape(table)}"?(?=[\s(])'
    again = re.sub(target, lambda found: found[1] + catalog.full(now), statement, count=1)
    try:
        catalog.connection.execute(again)
        if comment is not None:
            catalog.connection.execute(f"COMMENT ON INDEX {catalog.full(name)} IS {literal(comment)}")
    except duckdb.Error as error:
        return [f"Warehouse: the index {name} could not be made again ({first_line(error)}): {statement}"]
    return []


def _rows_by_study(catalog: Catalog, name: str) -> str:
    """Such as `405 rows of 2 studies (a, b)`; empty for none."""
    query = f"SELECT study, count(*) FROM {catalog.full(name)} GROUP BY study ORDER BY study"
    found = catalog.connection.execute(query).fetchall()
    if not found:
        return ""
    names = [str(study) for study, _ in found]
    some = ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
    of = "study" if len(names) == 1 else "studies"
    return f"{sum(count for _, count in found)} rows of {len(names)} {of} ({some})"


def _has_history(catalog: Catalog) -> bool:
    return HISTORY in catalog.tables() and HISTORY_COLUMNS.keys() <= catalog.columns(HISTORY).keys()


def _as_left(catalog: Catalog) -> bool:
    if not _has_history(catalog):
        return False
    query = f"SELECT version, declared, found FROM {catalog.full(HISTORY)} ORDER BY rowid DESC LIMIT 1"
    return catalog.connection.execute(query).fetchone() == (VERSION, _DECLARED, catalog.state())


def _record(catalog: Catalog, notes: Sequence[str]) -> None:
    full = catalog.full(HISTORY)
    if not _has_history(catalog):
        columns = ", ".join(f"{column} {type_}" for column, (type_, _) in HISTORY_COLUMNS.items())
        catalog.connection.execute(f"CREATE TABLE {full} ({columns})")
        comments = {column: comment for column, (_, comment) in HISTORY_COLUMNS.items()}
        _comment(catalog, HISTORY, "one row a change of the tables", comments, kind="TABLE")
    catalog.connection.execute(
        f"INSERT INTO {full} BY NAME SELECT ? AS version, ? AS code, ?::TIMESTAMP AS upgraded_at, ? AS declared, "
        "? AS found, ? AS note",
        [
            VERSION,
            _code(),
            datetime.now(UTC).replace(tzinfo=None),
            _DECLARED,
            catalog.state(),
            " ".join(notes) or None,
        ],
    )


def _code() -> str:
    return package_version("xai-assets")
