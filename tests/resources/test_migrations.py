"""Every shape that the tables have had: a load by today's code keeps all other rows, and what people added."""

import re
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.resources.test_warehouse import HEALTH
from xai_assets.resources.migrations import RENAMED, VERSION
from xai_assets.resources.tables import TABLES
from xai_assets.resources.views import VIEWS
from xai_assets.resources.warehouse import Warehouse, WarehouseError
from xai_assets.resources.warehouse_upgrade import declared

SHAPES = sorted((Path(__file__).parent / "schemas").glob("*.sql"))
"""The tables and views as each version in the repository's history made them."""

VALUES = {"VARCHAR": "'{column} {row}'", "DOUBLE": "{row} / 4", "BIGINT": "{row}", "BOOLEAN": "{row} % 2 = 0"}

OWN = """
ALTER TABLE maps ADD COLUMN remark VARCHAR;
UPDATE maps SET remark = 'mine ' || image_id;
COMMENT ON COLUMN maps.remark IS 'what I think of it';
CREATE INDEX by_image ON maps (study, image_id);
COMMENT ON INDEX by_image IS 'for my notebook';
CREATE VIEW my_maps AS SELECT * FROM maps WHERE density > 0;
COMMENT ON VIEW my_maps IS 'mine';
CREATE VIEW my_localization AS SELECT study, iou FROM localization;
CREATE TABLE my_notes AS SELECT 'keep' AS note;
CREATE TABLE older AS SELECT 1 AS a;
CREATE TABLE rows_to_insert AS SELECT 1 AS a;
CREATE SCHEMA backup;
CREATE TABLE backup.images AS SELECT 1 AS z;
CREATE TABLE backup.maps AS FROM maps;
CREATE TABLE backup.localization AS FROM localization;
CREATE VIEW backup.clip_dissect AS SELECT 1 AS z;
CREATE TABLE backup.xai_schema AS SELECT 99 AS version, 'x' AS code;
CREATE MACRO twice(x) AS 2 * x;
CREATE TYPE mood AS ENUM ('good');
CREATE SEQUENCE counter;
"""


def fill(connection, studies=("mine", "colleagues"), count=3):
    """Rows in every table of the file, of each study; some of `unit_concepts` as if they had been imported."""
    tables = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'"
    ).fetchall()
    for (table,) in tables:
        columns = connection.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? AND schema_name = 'main' "
            "ORDER BY column_index",
            [table],
        ).fetchall()
        for study in studies:
            for row in range(count):
                values = [VALUES[kind].format(column=c, row=row) for c, kind in columns[1:]]
                connection.execute(f"INSERT INTO {table} VALUES ('{study}', {', '.join(values)})")
        if table == "unit_concepts":
            connection.execute(
                "UPDATE unit_concepts SET method = if(unit = 2, 'milan_import', 'clip_dissect'), "
                "source = if(unit = 2, 'milan.csv', 'computed')"
            )


def contents(path, studies):
    """All rows of the studies by table of the schema main, as text."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'"
        ).fetchall()
        return {
            name: connection.execute(f"SELECT * FROM {name} WHERE study IN ? ORDER BY rowid", [studies]).df()
            for (name,) in tables
            if "study" in [c[0] for c in connection.execute(f"DESCRIBE {name}").fetchall()]
        }


def made(path, shape, *, own=True):
    with duckdb.connect(str(path)) as connection:
        connection.begin()
        connection.execute(shape.read_text())
        fill(connection)
        connection.commit()
        if own:
            connection.execute(OWN)


@pytest.fixture
def said():
    return []


@pytest.fixture
def warehouse(tmp_path, said):
    return Warehouse(tmp_path / "warehouse.duckdb", notice=said.append)


LAST = {"unit_concepts": pd.DataFrame(columns=list(TABLES["unit_concepts"].columns))}


LOADED = [
    *(pytest.param(shape, {"probe_health": HEALTH}, id=shape.stem) for shape in SHAPES),
    *(
        pytest.param(shape, LAST, id=f"{shape.stem} unit_concepts")
        for shape in (SHAPES[0], SHAPES[1], SHAPES[-1])
    ),
]
"""The shapes with what is loaded: a table apart, or the one that the views are made of."""


@pytest.mark.parametrize(("shape", "frames"), LOADED)
def test_an_older_file_keeps_every_row_and_what_people_added(warehouse, said, shape, frames):
    made(warehouse.path, shape)
    before = contents(warehouse.path, ["colleagues"])
    mine = contents(warehouse.path, ["mine"])
    warehouse.replace("mine", frames)
    after = contents(warehouse.path, ["colleagues", "mine"])
    kept = {name: f"{name}_before_{VERSION}" for name in ("clip_dissect", "netdissect") if name in before}
    for name, rows in before.items():
        now = after[kept.get(name, name)]
        now = now[now["study"] == "colleagues"].reset_index(drop=True)
        if name == "unit_concepts" and kept:
            continue
        named = rows.rename(columns=RENAMED.get(name, {}))
        pd.testing.assert_frame_equal(now[list(named.columns)], named)
        if name not in frames:
            other = after[kept.get(name, name)]
            assert len(other[other["study"] == "mine"]) == len(mine[name])

    found = warehouse.read("colleagues")
    assert set(found["localization"]["truth"]) == (
        {"object"} if shape.stem < "10" else {f"truth {n}" for n in range(3)}
    )
    for name in TABLES.keys() & before.keys():
        assert len(found[name]) == (5 if name == "unit_concepts" and kept else 3)
    if kept:  # the methods' own tables are views of unit_concepts now, with the same rows
        assert list(found["clip_dissect"]["concept"]) == ["concept 0", "concept 1", "concept 2"]
        assert list(found["netdissect"]["iou"]) == [0.0, 0.25, 0.5]
    else:
        assert list(found["unit_concepts"]["method"]) == ["clip_dissect", "clip_dissect", "milan_import"]
        assert len(found["clip_dissect"]) == 2

    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        run = connection.execute
        assert run("SELECT count(*), min(remark) FROM my_maps WHERE study = 'colleagues'").fetchone() == (
            2,
            "mine image_id 1",
        )
        assert run("SELECT count(*) FROM my_localization WHERE study = 'colleagues'").fetchone() == (3,)
        assert run(
            "SELECT comment FROM duckdb_columns() WHERE column_name = 'remark' AND schema_name = 'main' "
            "AND table_name = 'maps'"
        ).fetchone() == ("what I think of it",)
        assert run("SELECT comment FROM duckdb_indexes()").fetchall() == [("for my notebook",)]
        assert run("SELECT comment FROM duckdb_views() WHERE view_name = 'my_maps'").fetchone() == ("mine",)
        assert run("SELECT note FROM my_notes").fetchone() == ("keep",)
        assert run("SELECT twice(a) FROM older").fetchone() == (2,)
        assert run("SELECT 'good'::mood").fetchone() == ("good",)
        assert run("SELECT z FROM backup.images").fetchone() == (1,)
        assert run("SELECT count(*) FROM backup.maps").fetchone() == (6,)
        assert run("SELECT max(version) FROM xai_schema").fetchone() == (VERSION,)
        for name in VIEWS:
            run(f"FROM {name}").fetchall()
        for name in TABLES:
            stored = {c: kind for c, kind, *_ in run(f"DESCRIBE {name}").fetchall()}
            assert {c: stored[c] for c in declared(name)} == {c: s.type for c, s in declared(name).items()}
    if shape.stem < "10":
        (line,) = [line for line in said if "table localization" in line]
        assert "6 rows of 2 studies (colleagues, mine)" in line and "truth" in line
    if shape.stem == "05_metrics":
        assert any(
            "vanished is not known of 6 of them (NULL): run these studies again" in line for line in said
        )
    said.clear()
    warehouse.replace("mine", frames)
    assert said == []


@pytest.mark.parametrize("shape", SHAPES, ids=lambda path: path.stem)
def test_an_older_file_is_read_without_being_written(warehouse, said, shape):
    made(warehouse.path, shape)
    bytes_before = warehouse.path.read_bytes()
    found = warehouse.read("colleagues")
    for name, table in TABLES.items():
        assert list(found[name].columns) == list(table.columns)
    assert len(found["localization"]) == len(found["maps"]) == 3
    assert found["localization"]["truth"].notna().all()
    assert len(said) == 1 and "older version (0;" in said[0] and "Run the study colleagues again" in said[0]
    assert "colleagues" in warehouse.rows()
    assert warehouse.path.read_bytes() == bytes_before


def test_the_newest_shape_is_that_of_today():
    """A changed declaration needs its shape here (DuckDB's own `sql` of each table), and mostly a new VERSION."""
    with duckdb.connect() as connection:
        connection.execute(SHAPES[-1].read_text())
        for name in TABLES:
            stored = {
                c: (kind, null == "YES")
                for c, kind, null, *_ in connection.execute(f"DESCRIBE {name}").fetchall()
            }
            assert stored == {c: (s.type, s.nullable) for c, s in declared(name).items()}, name


def test_every_shape_is_of_a_table_that_is_declared_or_carried():
    names = {name for shape in SHAPES for name in re.findall(r"CREATE TABLE (\w+)\(", shape.read_text())}
    assert names == TABLES.keys() | {"clip_dissect", "netdissect"}


def altered(warehouse, *statements):
    warehouse.replace("mine", {"probe_health": HEALTH})
    with duckdb.connect(str(warehouse.path)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_file_that_is_up_to_date_is_left_as_it_is_by_every_later_load(warehouse):
    for _ in range(3):
        Warehouse(warehouse.path).replace("mine", {"probe_health": HEALTH})
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM xai_schema").fetchone() == (1,)


def test_a_newer_file_is_not_written_and_not_read(warehouse):
    altered(warehouse, f"INSERT INTO xai_schema (version, code) VALUES ({VERSION + 6}, '9.9')")
    before = warehouse.path.read_bytes()
    for work in (
        lambda: warehouse.replace("mine", {"probe_health": HEALTH}),
        lambda: warehouse.read("mine"),
        lambda: warehouse.remove("mine"),
        warehouse.studies,
    ):
        with pytest.raises(
            WarehouseError, match=f"version {VERSION + 6}, written by xai-assets 9.9"
        ) as caught:
            work()
        assert "Upgrade xai-assets to 9.9 or later" in str(caught.value)
    assert warehouse.path.read_bytes() == before
    assert warehouse.query("SELECT count(*) FROM probe_health")[1] == [(2,)]


def test_a_changed_type_is_cast_and_what_does_not_fit_stays_beside(warehouse, said):
    altered(
        warehouse,
        "INSERT INTO probe_health VALUES ('colleagues', 'k', 'v', 'ok')",
        "INSERT INTO layer_summary (study, model, layer, units, dead, clip_unique) "
        "VALUES ('colleagues', 'm', 'l', 4, 1, 2)",
        "ALTER TABLE layer_summary ALTER units SET DATA TYPE DOUBLE",
        "ALTER TABLE layer_summary ALTER dead SET DATA TYPE VARCHAR",
        "UPDATE layer_summary SET dead = 'one or so'",
        "CREATE UNIQUE INDEX mine ON layer_summary (study, units)",
    )
    warehouse.replace("mine", {"probe_health": HEALTH})
    (row,) = warehouse.read("colleagues")["layer_summary"].to_dict("records")
    assert row["units"] == 4 and pd.isna(row["dead"])
    assert any(f"dead_before_{VERSION}" in line and "1 rows of 1 study (colleagues)" in line for line in said)
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        assert connection.execute(f"SELECT dead_before_{VERSION} FROM layer_summary").fetchone() == (
            "one or so",
        )
        assert connection.execute("SELECT index_name, is_unique FROM duckdb_indexes()").fetchall() == [
            ("mine", True)
        ]
        stored = dict(row[:2] for row in connection.execute("DESCRIBE layer_summary").fetchall())
    assert stored["units"] == stored["dead"] == "BIGINT"


def test_a_column_of_another_case_or_one_that_refuses_null_is_no_obstacle(warehouse):
    altered(
        warehouse,
        "ALTER TABLE probe_health RENAME COLUMN level TO LEVEL",
        "ALTER TABLE probe_health ADD COLUMN mark INTEGER DEFAULT 1",
        "ALTER TABLE probe_health ALTER mark SET NOT NULL",
        "ALTER TABLE probe_health ALTER mark DROP DEFAULT",
        "ALTER TABLE probe_health ADD COLUMN points INTEGER DEFAULT 7",
    )
    warehouse.replace("other", {"probe_health": HEALTH})
    assert list(warehouse.read("mine")["probe_health"]["level"]) == ["ok", "ok"]
    assert list(warehouse.read("other")["probe_health"]["level"]) == ["ok", "ok"]
    rows = warehouse.query("SELECT study, mark, points FROM probe_health ORDER BY ALL")[1]
    assert rows == [("mine", 1, 7), ("mine", 1, 7), ("other", None, 7), ("other", None, 7)]


@pytest.mark.parametrize(
    "theirs",
    [
        "CREATE TABLE images AS SELECT 'x' AS z",
        "CREATE VIEW images AS SELECT 'x' AS z",
        "CREATE TABLE category_shares AS SELECT 'x' AS z",
        "CREATE TABLE xai_schema AS SELECT 'x' AS z",
        "CREATE TABLE netdissect AS SELECT 'x' AS z",
    ],
)
def test_what_people_named_like_ours_is_kept_under_another_name(warehouse, theirs):
    name = theirs.split()[2]
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute(theirs)
        if "TABLE" in theirs:
            connection.execute(f"CREATE INDEX theirs ON {name} (z)")
    assert warehouse.read("mine")["images"].empty
    warehouse.replace("mine", {"probe_health": HEALTH})
    assert warehouse.query(f"SELECT z FROM {name}_kept")[1] == [("x",)]
    assert len(warehouse.read("mine")["probe_health"]) == 2


def test_a_view_that_was_changed_by_hand_breaks_no_read_and_is_made_again(warehouse):
    warehouse.replace("mine", {"probe_health": HEALTH})
    with duckdb.connect(str(warehouse.path)) as connection:
        for name in VIEWS:
            connection.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT 1 AS study")
    assert set(warehouse.read("mine")) == TABLES.keys() | VIEWS.keys()
    warehouse.replace("other", {"probe_health": HEALTH})
    for name, view in VIEWS.items():
        assert warehouse.query(f"FROM {name}")[0] == list(view.columns)


def test_a_change_that_is_refused_changes_nothing(warehouse):
    altered(
        warehouse,
        "ALTER TABLE probe_health ALTER value SET DATA TYPE BLOB",
        "ALTER TABLE probe_health ADD PRIMARY KEY (study, key, value)",
    )
    with pytest.raises(WarehouseError, match="could not be brought to version") as caught:
        warehouse.replace("other", {"probe_health": HEALTH})
    assert "\n" not in str(caught.value) and "Nothing was changed" in str(caught.value)
    assert len(warehouse.read("mine")["probe_health"]) == 2


def test_an_index_that_refuses_rows_is_named(warehouse):
    altered(warehouse, "CREATE UNIQUE INDEX one_key ON probe_health (key)")
    with pytest.raises(WarehouseError, match="index that was added to it refuses rows of other"):
        warehouse.replace("other", {"probe_health": HEALTH})
    assert len(warehouse.read("mine")["probe_health"]) == 2


@pytest.mark.parametrize("name", ["main", "temp", "my file.v2", "memory", "ä'\"b", "system"])
def test_a_file_of_any_name_is_read_and_written(tmp_path, name):
    warehouse = Warehouse(tmp_path / f"{name}.duckdb")
    warehouse.replace("mine", {"probe_health": HEALTH})
    warehouse.replace("mine", {"probe_health": HEALTH})
    assert len(warehouse.read("mine")["probe_health"]) == 2
