"""One SELECT over a copy: writers go on, time and memory are bounded, and nothing but reading is let through."""

import duckdb
import pandas as pd
import pytest

from xai_assets.resources import warehouse_copy
from xai_assets.resources.warehouse import Warehouse, WarehouseError
from xai_assets.resources.warehouse_query import QueryError, asked

HEALTH = pd.DataFrame({"key": ["images"], "value": ["10"], "level": ["ok"]})
ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range % 7 = b.range % 11"


@pytest.fixture
def warehouse(tmp_path):
    made = Warehouse(tmp_path / "warehouse.duckdb", wait=1)
    made.replace("demo", {"probe_health": HEALTH})
    return made


def ask(warehouse, sql, seconds=60.0):
    return warehouse.query(sql, seconds=seconds)


def test_a_writer_does_not_wait_for_a_query(warehouse):
    with asked(warehouse.path, "FROM probe_health", seconds=60, wait=1, notice=print) as rows:
        warehouse.replace("other", {"probe_health": HEALTH})
        assert [row for batch in rows.batches for row in batch] == [("demo", "images", "10", "ok")]
    assert ask(warehouse, "SELECT count(*) FROM probe_health")[1] == [(2,)]


def test_rows_of_a_writer_that_was_killed_are_in_the_copy(warehouse):
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("SET checkpoint_threshold = '1TB'")
        connection.execute("INSERT INTO probe_health VALUES ('late', 'a', 'b', 'ok')")
        log = warehouse.path.with_name("warehouse.duckdb.wal").read_bytes()
        whole = warehouse.path.read_bytes()
    warehouse.path.write_bytes(whole)
    warehouse.path.with_name("warehouse.duckdb.wal").write_bytes(log)
    assert ask(warehouse, "SELECT study FROM probe_health")[1] == [("demo",), ("late",)]


def test_a_query_is_stopped_in_time_and_says_so(warehouse):
    with pytest.raises(QueryError, match=r"stopped after 0.3 s\. Ask for less, or give more: --timeout"):
        ask(warehouse, ENDLESS, seconds=0.3)
    with pytest.raises(QueryError, match=r"stopped after 0.3 s"):  # the fetching counts
        ask(warehouse, "SELECT range FROM range(100000000000)", seconds=0.3)


@pytest.mark.parametrize("query", ["SELECT list_sort(range(900000000))", "SELECT repeat('x', 4000000000)"])
def test_a_value_without_measure_is_one_line(warehouse, query):
    with pytest.raises(QueryError, match="needs more than 2 GiB of memory"):
        ask(warehouse, query)


def test_one_that_is_too_large_is_read_in_place(warehouse, monkeypatch):
    monkeypatch.setattr(warehouse_copy, "MOST_COPIED", 10)
    said = []
    with asked(warehouse.path, "SELECT 1", seconds=60, wait=1, notice=said.append) as rows:
        assert next(rows.batches) == [(1,)]
    assert "too large to copy" in said[0]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("", "it is empty"),
        (" ", "it is empty"),
        (";", "it is empty"),
        ("-- only a comment", "it is empty"),
        ("/* only */ ;", "it is empty"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("PRAGMA enable_profiling='json'; SET profiling_output='{folder}/x'; SELECT 1", "3 statements"),
        ("CALL enable_logging(storage='file', storage_path='{folder}/log'); SELECT 1", "2 statements"),
        ("CALL enable_logging()", "no SELECT"),
        ("FROM enable_logging(storage='file', storage_path='{folder}/log')", "calls enable_logging"),
        (
            "FROM \"Enable_Logging\" /* x */ (storage='file', storage_path='{folder}/log')",
            "calls enable_logging",
        ),
        ("FROM query('FROM enable_' || 'logging()')", "calls query"),
        ("SELECT write_log('ä')", "calls write_log"),
        ("EXPLAIN ANALYZE SELECT 1", "no SELECT"),
        ("COPY probe_health TO '{folder}/x.csv'", "no SELECT"),
        ("ATTACH '{folder}/other.duckdb'", "no SELECT"),
        ("INSTALL httpfs", "no SELECT"),
        ("LOAD httpfs", "no SELECT"),
        ("SET memory_limit = '1TB'", "no SELECT"),
        ("RESET memory_limit", "no SELECT"),
        ("PRAGMA enable_profiling", "no SELECT"),
        ("CHECKPOINT", "no SELECT"),
        ("VACUUM", "no SELECT"),
        ("USE memory", "no SELECT"),
        ("BEGIN", "no SELECT"),
        ("EXPORT DATABASE '{folder}/x'", "no SELECT"),
        ("PREPARE a AS SELECT 1", "no SELECT"),
        ("INSERT INTO probe_health VALUES ('a', 'b', 'c', 'd')", "no SELECT"),
        ("DELETE FROM probe_health RETURNING *", "no SELECT"),
        ("CREATE TEMP TABLE x AS SELECT 1", "no SELECT"),
        ("SELECT ?", "prepared parameter"),
        ("SELECT $a", "prepared parameter"),
        ("SELECT nonsense FROM probe_health", "nonsense"),
        ("SELEC 1", "syntax error"),
        ("SELECT \x00 1", "the query"),
        ("FROM read_csv('/etc/passwd')", "disabled by configuration"),
        ("FROM '/etc/passwd'", "the query"),
        ("FROM 's3://bucket/x.parquet'", "the query"),
        ("FROM glob('/*')", "disabled by configuration"),
    ],
)
def test_all_but_one_select_is_refused_in_a_line(warehouse, query, why, tmp_path):
    with pytest.raises(QueryError, match=why) as caught:
        ask(warehouse, query.replace("{folder}", str(tmp_path)))
    text = str(caught.value)
    assert text.startswith("the query: ") and "Stack Trace" not in text and len(text) < 1700
    names = {path.name for path in tmp_path.iterdir()}
    assert names <= {"warehouse.duckdb", "warehouse.duckdb.lock", "warehouse.duckdb.wal"}
    assert ask(warehouse, "SELECT count(*) FROM probe_health")[1] == [(1,)]


@pytest.mark.parametrize(
    "query",
    [
        "SHOW TABLES",
        "DESCRIBE probe_health",
        "SUMMARIZE probe_health",
        "FROM probe_health",
        "TABLE probe_health",
        "VALUES (1)",
        "WITH a AS (SELECT 1) FROM a",
        "(SELECT 1) UNION (SELECT 2) ORDER BY 1 -- with a comment",
        "SELECT 1 ; -- and after",
        "PIVOT (SELECT 1 AS y, 2 AS z) ON y IN (1) USING sum(z)",
    ],
)
def test_all_that_reads_is_answered(warehouse, query):
    assert ask(warehouse, query)[1]


def test_the_order_is_that_of_the_query(warehouse):
    assert ask(warehouse, "SELECT range FROM range(5000) ORDER BY range DESC")[1] == [
        (n,) for n in range(4999, -1, -1)
    ]


def test_a_held_warehouse_is_named(warehouse):
    from tests.resources.test_warehouse_file import Holder

    with (
        Holder(warehouse.path, read_only=False) as pid,
        pytest.raises(WarehouseError, match=f"process {pid}"),
    ):
        ask(warehouse, "SELECT 1")
    with Holder(warehouse.path, read_only=True):
        assert ask(warehouse, "SELECT 1")[1] == [(1,)]
