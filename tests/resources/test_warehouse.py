"""The warehouse: one transaction a study, declared columns, no silent NaN, and nobody's rows lost."""

import math
import multiprocessing

import duckdb
import pandas as pd
import pytest

from xai_assets.resources.tables import TABLES
from xai_assets.resources.views import VIEWS
from xai_assets.resources.warehouse import Warehouse, WarehouseError
from xai_assets.resources.warehouse_upgrade import HISTORY_COLUMNS

HEALTH = pd.DataFrame({"key": ["images", "duplicates"], "value": ["10", "0"], "level": ["ok", "ok"]})


def agreement(**changes):
    row = {
        "image_id": "a", "target_index": 3, "target_name": "dog", "method_a": "gradcam", "method_b": "lime",
        "policy": "fixed", "iou": 0.5, "chance_iou": 0.1, "attainable_iou": 2 / 3,
        "iou_matched": 0.4, "chance_iou_matched": 0.1, "dice": 2 / 3, "density_a": 0.2, "density_b": 0.3,
        "rank_correlation": None,
    }  # fmt: skip
    return pd.DataFrame([row | changes])


@pytest.fixture
def warehouse(tmp_path):
    return Warehouse(tmp_path / "warehouse.duckdb")


def test_rows_come_back_in_order_and_a_second_load_replaces_them(warehouse):
    assert warehouse.replace("demo", {"probe_health": HEALTH}) == {"probe_health": 2}
    warehouse.replace("other", {"probe_health": HEALTH.iloc[:1]})
    warehouse.replace("demo", {"probe_health": HEALTH.iloc[::-1]})
    assert list(warehouse.read("demo")["probe_health"]["key"]) == ["duplicates", "images"]
    assert len(warehouse.read("other")["probe_health"]) == 1


def test_columns_go_by_name_and_null_is_null(warehouse):
    warehouse.replace("demo", {"mask_agreement": agreement()[list(TABLES["mask_agreement"].columns)[::-1]]})
    (row,) = warehouse.read("demo")["mask_agreement"].to_dict("records")
    assert (row["method_a"], row["iou"], row["target_index"]) == ("gradcam", 0.5, 3)
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        assert connection.execute("SELECT rank_correlation FROM mask_agreement").fetchone() == (None,)


def test_nan_becomes_null_where_there_may_be_none_and_is_refused_elsewhere(warehouse):
    warehouse.replace("demo", {"mask_agreement": agreement(iou=math.nan)})
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        assert connection.execute("SELECT iou FROM mask_agreement").fetchone() == (None,)
    with pytest.raises(WarehouseError, match="density_a: no value in row 0"):
        warehouse.replace("demo", {"mask_agreement": agreement(density_a=math.nan)})
    with pytest.raises(WarehouseError, match="infinite"):
        warehouse.replace("demo", {"mask_agreement": agreement(iou=math.inf)})


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ({"nonsense": HEALTH}, "not declared"),
        ({"probe_health": HEALTH.drop(columns="level")}, "missing: .'level'."),
        ({"probe_health": HEALTH.assign(extra=1)}, "not declared: .'extra'."),
    ],
)
def test_what_does_not_fit_its_declaration_is_refused(warehouse, frames, said):
    with pytest.raises(WarehouseError, match=said):
        warehouse.replace("demo", frames)


def test_one_bad_table_leaves_all_as_they_were(warehouse):
    warehouse.replace("demo", {"probe_health": HEALTH, "mask_agreement": agreement()})
    too_large = agreement(target_index=2**62).astype({"target_index": "object"})
    too_large.loc[0, "target_index"] = "not a number"
    with pytest.raises((ValueError, TypeError, duckdb.Error)):
        warehouse.replace("demo", {"probe_health": HEALTH.iloc[:1], "mask_agreement": too_large})
    assert len(warehouse.read("demo")["probe_health"]) == 2


def test_hostile_text_is_text(warehouse):
    name = "x'); DROP TABLE probe_health; --"
    warehouse.replace(name, {"probe_health": HEALTH.assign(value=name)})
    assert set(warehouse.read(name)["probe_health"]["value"]) == {name}


def test_every_column_is_commented(warehouse):
    warehouse.replace(
        "demo", {name: pd.DataFrame(columns=list(table.columns)) for name, table in TABLES.items()}
    )
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        rows = connection.execute(
            "SELECT column_name, comment FROM duckdb_columns() WHERE NOT internal"
        ).fetchall()
    declared = [len(table.columns) + 1 for table in TABLES.values()] + [
        len(v.columns) for v in VIEWS.values()
    ]
    assert len(rows) == sum(declared) + len(HISTORY_COLUMNS)
    assert all(comment for column, comment in rows if column != "study")


def test_reading_an_absent_warehouse_gives_empty_tables(warehouse):
    found = warehouse.read("demo")
    assert set(found) == TABLES.keys() | VIEWS.keys()
    assert not any(len(frame) for frame in found.values())
    assert not warehouse.path.exists()


def _write(path, worker, times):
    warehouse = Warehouse(path)
    for turn in range(times):
        warehouse.replace(f"{worker}-{turn}", {"probe_health": HEALTH})


def test_no_row_of_two_writing_processes_is_lost(warehouse):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(warehouse.path, name, 8)) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0]
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM probe_health").fetchone() == (32,)


def older(warehouse, name, without):
    """The table as a version had it that did not know the column."""
    warehouse.replace("demo", {name: HEALTH if name == "probe_health" else agreement()})
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute(f'ALTER TABLE "{name}" DROP COLUMN "{without}"')
        connection.execute(f'ALTER TABLE "{name}" ADD COLUMN forgotten DOUBLE')


def test_an_older_tables_rows_are_kept_where_what_they_lack_may_be_null(warehouse):
    older(warehouse, "mask_agreement", "dice")
    warehouse.replace("other", {"mask_agreement": agreement(dice=0.25)})
    assert warehouse.read("demo")["mask_agreement"]["dice"].isna().all()
    assert list(warehouse.read("demo")["mask_agreement"]["iou"]) == [0.5]
    assert list(warehouse.read("other")["mask_agreement"]["dice"]) == [0.25]


def test_an_older_tables_rows_are_kept_where_what_they_lack_is_not_known(warehouse):
    older(warehouse, "probe_health", "level")
    warehouse.replace("other", {"probe_health": HEALTH})
    assert warehouse.read("demo")["probe_health"]["level"].isna().all()
    assert len(warehouse.read("demo")["probe_health"]) == len(warehouse.read("other")["probe_health"]) == 2
