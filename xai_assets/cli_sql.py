"""`xai sql`: a query of the warehouse, which it can only read."""

import csv
import json
import sys
from typing import Any

import click

from xai_assets.settings import Settings

USAGE_ERROR = 2
WIDEST = 48
"""Characters of a value in a table on the terminal; `--json` and `--csv` have all of it."""


_EXAMPLES_SQL = """\b
Examples:
  xai sql "SELECT method, avg(iou) FROM localization WHERE study = 'demo' AND truth = 'object' GROUP BY method"
  xai sql "FROM unit_concepts WHERE study = 'demo' LIMIT 10" --csv
"""


@click.command(epilog=_EXAMPLES_SQL)
@click.argument("query", required=False)
@click.option("--json", "as_json", is_flag=True, help="print JSON: a list of rows, by column")
@click.option("--csv", "as_csv", is_flag=True, help="print CSV with a header")
def sql(query: str | None, as_json: bool, as_csv: bool) -> None:
    """Read the warehouse with QUERY (DuckDB's SQL); without one, list its tables, views and their columns."""
    import duckdb

    from xai_assets.resources.warehouse import Warehouse, WarehouseError

    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    try:
        columns, rows = Warehouse(Settings.from_environment().warehouse).query(query or TABLES)
    except duckdb.Error as error:
        click.echo(f"the query: {error}", err=True)
        sys.exit(USAGE_ERROR)
    except WarehouseError as error:
        click.echo(str(error), err=True)
        sys.exit(USAGE_ERROR)
    if as_json:
        found = [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]
        click.echo(json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False))
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([columns, *rows])
    else:
        _table(columns, rows)


TABLES = """
SELECT table_name AS "table", column_name AS "column", data_type AS type, comment FROM duckdb_columns()
WHERE NOT internal ORDER BY table_name, column_index
"""


def _plain(value: Any) -> Any:
    """A value as JSON takes it: no NaN, and dates and decimals as text."""
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    return value if value is None or isinstance(value, str | int | list | dict) else str(value)


def _table(columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for line in [columns, ["-" * width for width in widths], *cells]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    click.echo(f"{len(rows)} row{'s' * (len(rows) != 1)}", err=True)


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"
