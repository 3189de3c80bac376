"""A study's rows from the file, whatever version it is of: a column that it lacks is NULL, a view is computed anew."""

import pandas as pd  # noqa: TID253 -- assets import this module inside their functions

from xai_assets.resources.migrations import FILLS, RENAMED, VERSION
from xai_assets.resources.tables import TABLES
from xai_assets.resources.views import PLACE, VIEWS
from xai_assets.resources.warehouse_catalog import Catalog, Stored, quoted
from xai_assets.resources.warehouse_upgrade import declared, newest_version


def empty_tables() -> dict[str, pd.DataFrame]:
    """Every table and view without rows, `study` and `place` left out."""
    tables = {name: pd.DataFrame(columns=list(table.columns)) for name, table in TABLES.items()}
    return tables | {name: pd.DataFrame(columns=_shown(name)) for name in VIEWS}


def study_rows(catalog: Catalog, study: str) -> dict[str, pd.DataFrame]:
    """The study's rows by table and view, in the order in which they were written; what is absent is empty."""
    found, stored = empty_tables(), catalog.all_columns()
    tables = {
        name for name in TABLES.keys() & catalog.tables() if "study" in stored[name]
    }  # others are not ours
    for name in tables:
        select = ", ".join(_values(name, stored[name]))
        query = f"SELECT {select} FROM {catalog.full(name)} WHERE study = ? ORDER BY rowid"
        found[name] = catalog.connection.execute(query, [study]).df().drop(columns="study")
    # The view that is in the file may be older than the code, and the file may be another's, who may not be written.
    for name, view in VIEWS.items():
        if all(found[table].empty for table in view.of):
            continue
        bases = ", ".join(
            f"{table} AS MATERIALIZED ({_rows(catalog, table, tables, stored)})" for table in view.of
        )
        names = ", ".join(quoted(column) for column in view.columns)
        shown = _shown(name)
        order = [PLACE, *shown] if PLACE in view.columns else shown
        query = (
            f"WITH {bases}, made({names}) AS ({view.query}) "
            f"SELECT {', '.join(map(quoted, shown))} FROM made ORDER BY {', '.join(map(quoted, order))}"
        )
        found[name] = catalog.connection.execute(query, [study] * len(view.of)).df()
    return found


def _rows(catalog: Catalog, name: str, tables: set[str], stored: dict[str, dict[str, Stored]]) -> str:
    """SQL for the rows of one study (a parameter) of a table, and for none of a table that the file lacks."""
    if name in tables:
        values = ", ".join(_values(name, stored[name]))
        return f"SELECT rowid, {values} FROM {catalog.full(name)} WHERE study = ?"
    return f"SELECT 0 AS rowid, {', '.join(_values(name, {}))} WHERE ? IS NULL"


def said_of_version(catalog: Catalog, study: str, found: dict[str, pd.DataFrame]) -> str | None:
    """A line for people where the file is older than the code and has rows of the study; else None."""
    (version, _), stored = newest_version(catalog), catalog.all_columns()
    lacking = [
        f"{name}.{column}"
        for name in TABLES
        if len(found[name])
        for column in declared(name).keys() - stored[name].keys()
    ]
    if not lacking and (version >= VERSION or not any(len(frame) for frame in found.values())):
        return None
    what = f": it lacks {', '.join(sorted(lacking)[:5])}" if lacking else ""
    return (
        f"The warehouse is of an older version ({version}; this code writes {VERSION}){what}. "
        f"Run the study {study} again to have all its numbers."
    )


def _values(name: str, stored: dict[str, Stored]) -> list[str]:
    """SQL for each declared column from those that the file has."""
    older = {today: before for before, today in RENAMED.get(name, {}).items()}
    found = []
    for column, spec in declared(name).items():
        source = stored.get(column) or stored.get(older.get(column, ""))
        if source is None:
            value = f"CAST({FILLS.get((name, column), 'NULL')} AS {spec.type})"
        elif source.type != spec.type:
            value = f"TRY_CAST({quoted(source.name)} AS {spec.type})"
        else:
            value = quoted(source.name)
        found.append(f"{value} AS {quoted(column)}")
    return found


def _shown(view: str) -> list[str]:
    return [column for column in VIEWS[view].columns if column not in ("study", PLACE)]
