"""`xai sql`: a query of the warehouse, which it can only read."""

import sys

import click

from xai_assets.cli_say import say, say_lines
from xai_assets.settings import Settings

USAGE_ERROR = 2

SECONDS = 60.0
"""How long a query may take, unless `--timeout` says otherwise."""

_EXAMPLES_SQL = """\b
Examples, the headline numbers of the demo and ten units:
  xai sql "SELECT section, metric, subject, other, value, low, high, n, chance, answer
           FROM headline WHERE study = 'demo'"
  xai sql "FROM unit_concepts WHERE study = 'demo' LIMIT 10" --csv
"""

TABLES = """
SELECT table_name AS "table", column_name AS "column", data_type AS type, comment FROM duckdb_columns()
WHERE NOT internal ORDER BY table_name, column_index
"""


@click.command(epilog=_EXAMPLES_SQL)
@click.argument("query", required=False)
@click.option("--json", "as_json", is_flag=True, help="print JSON: a list of rows, by column")
@click.option("--csv", "as_csv", is_flag=True, help="print CSV with a header")
@click.option(
    "--timeout", default=SECONDS, show_default=True, type=click.FloatRange(0.1, 86_400), metavar="SECONDS",
    help="stop the query after so many seconds",
)  # fmt: skip
def sql(query: str | None, as_json: bool, as_csv: bool, timeout: float) -> None:
    """Read the warehouse with QUERY, one SELECT of DuckDB's SQL; without one, list its tables, views and their columns.

    The query works on a copy, so runs need not wait for it.
    """
    from xai_assets.cli_sql_output import CsvOutput, JsonOutput, TableOutput
    from xai_assets.errors import XaiError
    from xai_assets.resources.warehouse_query import asked

    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    settings = Settings.from_environment()
    kind = JsonOutput if as_json else CsvOutput if as_csv else TableOutput
    try:
        with (
            asked(
                settings.warehouse,
                TABLES if query is None else query,
                seconds=timeout,
                wait=settings.warehouse_wait,
                notice=lambda line: say(line, err=True),
                ends=True,
            ) as rows,
            kind(rows.columns) as output,
        ):
            for batch in rows.batches:
                if not output.add(batch):
                    break
            output.show()
    except XaiError as error:
        say_lines(str(error), err=True)
        sys.exit(USAGE_ERROR)
