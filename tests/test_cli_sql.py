"""`xai sql` reads the warehouse and does nothing else."""

import csv
import io
import json

import duckdb
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xai_assets.cli import cli
from xai_assets.cli_sql_output import finite, unlike


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


EXACT = {
    "SELECT ['nan'::DOUBLE, 'inf'::FLOAT, 1]": [None, None, 1.0],
    "SELECT {'a': DATE '2020-01-02', 'b': [TIME '24:00:00']}": {"a": "2020-01-02", "b": ["24:00:00"]},
    "SELECT MAP {'k': TIMESTAMP '2020-01-01'}": {"k": "2020-01-01 00:00:00"},
    "SELECT MAP {{'a': 1}: ['-inf'::DOUBLE]}": {"{'a': 1}": [None]},
    "SELECT MAP {[1]: NULL}": {"[1]": None},
    "SELECT INTERVAL '14 months'": "1 year 2 months",
    "SELECT DATE 'infinity'": "infinity",
    "SELECT DATE '20000-01-01'": "20000-01-01",
    "SELECT DATE '0044-03-15 (BC)'": "0044-03-15 (BC)",
    "SELECT TIMESTAMP_NS '2020-01-01 00:00:00.123456789'": "2020-01-01 00:00:00.123456789",
    "SELECT TIMETZ '10:00:00+02'": "10:00:00+02",
    "SELECT 1.10::DECIMAL(5, 2)": "1.10",
    "SELECT 170141183460469231731687303715884105727": 170141183460469231731687303715884105727,
    "SELECT '123456789012345678901234567890123456789012345'::BIGNUM": "123456789012345678901234567890123456789012345",
    "SELECT '\\x00\\xFF'::BLOB": "\\x00\\xFF",
    "SELECT '0101'::BIT": "0101",
    "SELECT 'a'::ENUM('a', 'b')": "a",
    "SELECT union_value(number := 1)": "1",
    "SELECT [union_value(day := DATE '2020-01-01')]": ["2020-01-01"],
    "SELECT 'b6c1a3a5-0000-4000-8000-000000000000'::UUID": "b6c1a3a5-0000-4000-8000-000000000000",
    "SELECT NULL": None,
    "SELECT chr(0) || 'a'": "\x00a",
    "SELECT row(1, DATE '2020-01-01')": "(1, 2020-01-01)",
    "SELECT [1, 2]::DOUBLE[2]": [1.0, 2.0],
    "SELECT true": True,
    "SELECT []": [],
}
"""Queries of one value, and the value as JSON has it."""


@pytest.mark.parametrize("query", EXACT)
def test_json_has_every_type_exactly(sql, query):
    found = sql(query, "--json")
    assert found.exit_code == 0, found.output
    ((value,),) = [row.values() for row in json.loads(found.output)]
    assert value == EXACT[query] and type(value) is type(EXACT[query])
    for kind in ((), ("--csv",)):
        assert sql(query, *kind).exit_code == 0


def test_equal_column_names_keep_their_columns(sql):
    assert json.loads(sql("SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS A", "--json").output) == [
        {"a": 1, "a_3": 2, "a_2": 3, "A": 4}
    ]
    assert sql("SELECT 1 AS a, 2 AS a", "--csv").output == "a,a\n1,2\n"
    assert unlike(["n", "n", "n_2", "n"]) == ["n", "n_3", "n_2", "n_4"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", " ="])
def test_a_text_that_a_spreadsheet_would_run_is_in_no_csv(sql, start):
    query = f"SELECT 'fine' AS a UNION ALL SELECT '{start}cmd()'"
    found = sql(query, "--csv")
    assert found.exit_code == 2 and "row 2, column a: a spreadsheet would run" in found.output
    assert found.stdout == ""
    assert json.loads(sql(query, "--json").output)[1]["a"] == f"{start}cmd()"
    assert sql(f'SELECT 1 AS "{start}x"', "--csv").exit_code == 2


def test_negative_numbers_are_no_formula(sql):
    assert (
        sql("SELECT -1.5 AS a, -2 AS b, -0.25::DOUBLE AS c, '-7' AS d", "--csv").output
        == "a,b,c,d\n-1.5,-2,-0.25,-7\n"
    )


def test_what_is_stopped_prints_nothing_but_a_line(sql):
    found = sql("SELECT range FROM range(100000000000)", "--csv", "--timeout", "0.5")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "stopped after 0.5 s" in found.stderr and found.stderr.count("\n") == 1


def test_a_long_table_is_shown_in_part_and_csv_has_all(sql):
    found = sql("SELECT range AS n FROM range(3000)")
    assert len(found.stdout.splitlines()) == 1002 and "the first 1000 rows" in found.stderr
    assert len(sql("SELECT range AS n FROM range(3000)", "--csv").output.splitlines()) == 3001


def test_control_characters_cannot_reach_the_terminal(sql):
    found = sql("SELECT chr(27) || ']0;x' AS a, 1 AS \"b\x1b[2J\"")
    assert "\x1b" not in found.output and "\\x1b" in found.output


def test_a_damaged_file_is_one_line(sql, tmp_path):
    (tmp_path / "warehouse.duckdb").write_text("garbage")
    found = sql("SELECT 1")
    assert found.exit_code == 2 and "no DuckDB database" in found.output and found.output.count("\n") == 1


def test_the_help_asks_for_the_headline_numbers(sql):
    text = sql("--help").output
    assert "FROM headline" in text and "answer" in text and "--timeout" in text and "\\b" not in text


LEAVES = st.sampled_from(
    [
        "BOOLEAN", "TINYINT", "BIGINT", "HUGEINT", "UBIGINT", "FLOAT", "DOUBLE", "DECIMAL(9, 3)", "VARCHAR", "BLOB",
        "BIT", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_NS", "TIMESTAMP_S", "TIMETZ", "INTERVAL", "UUID",
        "JSON", "ENUM('a', 'b')",
    ]
)  # fmt: skip
TYPES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda of: f"{of}[]"),
        inner.map(lambda of: f"{of}[2]"),
        st.tuples(inner, inner).map(lambda of: f'STRUCT("a b" {of[0]}, "x""y" {of[1]})'),
        st.tuples(LEAVES, inner).map(lambda of: f"MAP({of[0]}, {of[1]})"),
        st.tuples(inner, inner).map(lambda of: f"UNION(n {of[0]}, t {of[1]})"),
    ),
    max_leaves=5,
)
VALUES = {
    "BOOLEAN": "true", "TINYINT": "-1", "BIGINT": "-9223372036854775808", "HUGEINT": "1",
    "UBIGINT": "18446744073709551615",
    "FLOAT": "'nan'::FLOAT", "DOUBLE": "'-inf'::DOUBLE", "DECIMAL(9, 3)": "-1.5", "VARCHAR": "'a\"'",
    "BLOB": "'\\x00'::BLOB",
    "BIT": "'01'::BIT", "DATE": "DATE '-infinity'", "TIME": "TIME '00:00'", "TIMESTAMP": "TIMESTAMP 'infinity'",
    "TIMESTAMPTZ": "TIMESTAMPTZ '2020-01-01 00:00:00+01'", "TIMESTAMP_NS": "TIMESTAMP_NS '2020-01-01'", "UUID": "uuid()",
    "TIMESTAMP_S": "TIMESTAMP_S '2020-01-01'", "TIMETZ": "TIMETZ '10:00:00+01'", "INTERVAL": "INTERVAL '1 month -1 day'",
    "JSON": "'{\"a\": NaN}'", "ENUM('a', 'b')": "'a'",
}  # fmt: skip


def nested_value(kind):
    if kind in VALUES:
        return f"({VALUES[kind]})::{kind}"
    if kind.endswith("[]"):
        return f"[{nested_value(kind[:-2])}, NULL]"
    if kind.endswith("[2]"):
        return f"[{nested_value(kind[:-3])}, NULL]::{kind}"
    return f"NULL::{kind}"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(TYPES, min_size=1, max_size=3))
def test_whatever_the_type_json_parses_and_csv_has_its_cells(sql, kinds):
    query = "SELECT " + ", ".join(f"{nested_value(kind)} AS c" for kind in kinds)
    found = sql(query, "--json")
    assert found.exit_code == 0, (query, found.output)
    (row,) = json.loads(found.stdout, parse_constant=lambda word: pytest.fail(word))
    assert list(row) == unlike(["c"] * len(kinds))
    cells = list(csv.reader(io.StringIO(sql(query, "--csv").stdout)))
    assert [len(line) for line in cells] in ([len(kinds)] * 2, []) or cells == [["c"], []]
    assert sql(query).exit_code == 0


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_what_is_finite_is_json(value):
    json.dumps(finite(value), allow_nan=False)
