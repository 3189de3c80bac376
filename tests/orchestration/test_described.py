"""The UI shows the columns of the warehouse's tables as they are declared, on the asset that loads them."""

import duckdb
import pytest

from xai_assets.assets.described import CATALOGUE
from xai_assets.build import build_definitions
from xai_assets.resources.loads import LOADS, SHARED
from xai_assets.resources.tables import TABLES
from xai_assets.resources.warehouse import Warehouse


@pytest.fixture(scope="module")
def metadata():
    graph = build_definitions().resolve_asset_graph()
    return {key.to_user_string(): graph.get(key).metadata for key in graph.get_all_asset_keys()}


@pytest.fixture
def columns_of_duckdb(tmp_path):
    """Type, NULL and comment of each column, as a warehouse has them that was just made."""
    import pandas as pd

    empty = {name: pd.DataFrame(columns=list(table.columns)) for name, table in TABLES.items()}
    Warehouse(tmp_path / "warehouse.duckdb").replace("demo", empty)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as connection:
        query = "SELECT table_name, column_name, data_type, is_nullable, comment FROM duckdb_columns() WHERE NOT internal"
        return {(row[0], row[1]): row[2:] for row in connection.execute(query).fetchall()}


def test_every_table_is_loaded_by_one_asset():
    loaded = [name for names in LOADS.values() for name in names]
    assert sorted(loaded) == sorted([*TABLES, *SHARED])  # of which two assets load the rows


def test_the_columns_are_those_of_the_database(metadata, columns_of_duckdb):
    shown = {}
    for asset, names in LOADS.items():
        for column in metadata[asset]["dagster/column_schema"].columns:
            table, _, name = column.name.rpartition(".")
            key = (table or names[0], name)
            assert key not in shown or table in SHARED
            shown[key] = (column.type, column.constraints.nullable, column.description)
    for (table, name), (kind, nullable, comment) in shown.items():
        found = columns_of_duckdb.get((table, name))
        assert found is not None, (table, name)
        assert found[:2] == (kind, nullable), (table, name)
        assert name == "study" or found[2] == comment, (table, name)
    assert {key for key in columns_of_duckdb if key[0] in TABLES} == shown.keys()


def test_rules_of_a_table_are_said(metadata):
    (what, key) = metadata["concept_tables"]["dagster/column_schema"].constraints.other[:2]
    assert what.startswith("unit_concepts: one row a model, layer, unit and method")
    assert key == "unit_concepts: no two rows of a study share model, layer, unit, method"


def test_one_table_has_its_name_in_the_database(metadata, tmp_path):
    assert metadata["explanation_drift"]["dagster/table_name"] == f"{CATALOGUE}.explanation_drift"
    import pandas as pd

    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    warehouse.replace("demo", {"probe_health": pd.DataFrame(columns=list(TABLES["probe_health"].columns))})
    assert warehouse.query(f"SELECT count(*) FROM {CATALOGUE}.probe_health")[1] == [(0,)]


def test_what_loads_no_table_shows_none(metadata):
    assert {asset for asset, found in metadata.items() if "dagster/column_schema" in found} == set(LOADS)
