"""`xai sql` reads the warehouse and does nothing else."""

import json

import duckdb
import pytest
from click.testing import CliRunner

from xai_assets.cli import cli


@pytest.fixture
def sql(tmp_path, monkeypatch):
    monkeypatch.delenv("XAI_WAREHOUSE", raising=False)
    monkeypatch.setenv("XAI_DATA", str(tmp_path))
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("CREATE TABLE maps (study VARCHAR, iou DOUBLE, made DATE)")
        connection.execute("INSERT INTO maps VALUES ('demo', 0.25, '2026-01-02'), ('a, b', 'nan', NULL)")
    return lambda *arguments: CliRunner().invoke(cli, ["sql", *arguments])


QUERY = "SELECT * FROM maps ORDER BY study DESC"


def test_rows_come_as_a_table_json_and_csv(sql):
    assert sql(QUERY).output.splitlines()[:3] == [
        "study  iou   made",
        "-----  ----  ----------",
        "demo   0.25  2026-01-02",
    ]
    assert json.loads(sql(QUERY, "--json").output) == [
        {"study": "demo", "iou": 0.25, "made": "2026-01-02"},
        {"study": "a, b", "iou": None, "made": None},
    ]
    assert sql(QUERY, "--csv").output == 'study,iou,made\ndemo,0.25,2026-01-02\n"a, b",nan,\n'


def test_without_a_query_it_lists_the_tables(sql):
    rows = json.loads(sql("--json").output)
    assert [(row["table"], row["column"], row["type"]) for row in rows][:2] == [
        ("maps", "study", "VARCHAR"),
        ("maps", "iou", "DOUBLE"),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM maps",
        "CREATE TABLE other (a INT)",
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY maps TO '{folder}/copy.csv'",
        "ATTACH '{folder}/other.duckdb'",
        "SET enable_external_access = true",
        "SELEC 1",
    ],
)
def test_what_would_write_or_reach_outside_is_refused(sql, query, tmp_path):
    found = sql(query.format(folder=tmp_path))
    assert found.exit_code == 2, found.output
    assert "the query: " in found.output
    assert {path.name for path in tmp_path.iterdir()} <= {"warehouse.duckdb", "warehouse.duckdb.lock"}
    assert sql("SELECT count(*) AS n FROM maps", "--csv").output == "n\n2\n"


def test_an_absent_warehouse_says_what_makes_it(sql, tmp_path):
    (tmp_path / "warehouse.duckdb").unlink()
    found = sql("SELECT 1")
    assert found.exit_code == 2
    assert "Run a study" in found.output
