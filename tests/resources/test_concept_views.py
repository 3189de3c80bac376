"""unit_concepts and its views: both methods in one table, today's tables as views of it, and the summaries."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xai_assets.dissection.comparison import (
    category_shares,
    comparison_table,
    unique_concepts,
    units_per_concept,
)
from xai_assets.dissection.unit_concepts import (
    CLIP_COLUMNS,
    COLUMNS,
    COMPUTED,
    NET_COLUMNS,
    computed_concepts,
    unit_rows,
)
from xai_assets.resources.tables import TABLES
from xai_assets.resources.views import VIEWS
from xai_assets.resources.warehouse import Warehouse, WarehouseError


def clip(rows):
    """(model, layer, unit, concept, category) each; no concept: dead."""
    table = pd.DataFrame(rows, columns=["model", "layer", "unit", "concept", "category"])
    alive = table["concept"].notna()
    return table.assign(
        score=alive.map({True: 1.5, False: np.nan}), runner_up=table["concept"] + "2",
        gap=alive.map({True: 0.25, False: np.nan}), dead=~alive, max_activation=3.0, top_images="a;b;c",
        null_mean=0.5, null_std=0.5, z=2.0, p=0.01, q=0.04, p_shuffled=0.01, q_shuffled=0.04, beyond_chance=alive,
        truth_presence=np.nan, chance_presence=0.5, base_rate=0.25,
    )[list(CLIP_COLUMNS)]  # fmt: skip


def net(rows):
    """(model, layer, unit, concept, category, detector) each."""
    table = pd.DataFrame(rows, columns=["model", "layer", "unit", "concept", "category", "detector"])
    return table.assign(
        iou=0.1, threshold=0.7, dead=table["concept"].isna(), attainable_iou=0.5, coverage=0.01,
    ).reindex(columns=list(NET_COLUMNS))  # fmt: skip


CLIP = clip(
    [
        ("b", "late", 0, "dog", "object"),
        ("b", "late", 1, None, None),
        ("b", "early", 0, "red", "color"),
        ("a", "late", 1, "dog", "object"),
        ("a", "late", 0, "car", ""),
    ]
)
NET = net([("b", "late", 0, "dog", "object", True), ("b", "late", 1, "cat", "object", False)])


@pytest.fixture
def warehouse(tmp_path):
    return Warehouse(tmp_path / "warehouse.duckdb")


def load(warehouse, study="demo", words=CLIP, labels=NET):
    return warehouse.replace(
        study,
        {"unit_concepts": computed_concepts(words, labels)},
        within={"unit_concepts": {"method": COMPUTED}},
    )


def imported(model="other", method="clip_dissect_import"):
    row = {"model": model, "layer": "late", "unit": 0, "concept": "sea"}
    return unit_rows([row], method=method, source="x.csv")


def test_the_columns_are_declared_once_each():
    assert tuple(TABLES["unit_concepts"].columns) == COLUMNS
    assert set(CLIP_COLUMNS) <= set(COLUMNS) and set(NET_COLUMNS) - {"iou"} <= set(COLUMNS)
    for name, columns in (("clip_dissect", CLIP_COLUMNS), ("netdissect", NET_COLUMNS)):
        assert [c for c in VIEWS[name].columns if c not in ("study", "place")] == list(columns)


def test_the_views_are_the_methods_own_tables_in_their_order(warehouse):
    load(warehouse)
    load(warehouse, "other")
    found = warehouse.read("demo")
    for name, frame in (("clip_dissect", CLIP), ("netdissect", NET)):
        got = found[name].astype(object).where(found[name].notna(), None)
        want = frame.astype(object).where(frame.notna(), None)
        assert got.to_dict("records") == want.to_dict("records")
    assert len(found["unit_concepts"]) == len(CLIP) + len(NET)
    assert set(found["unit_concepts"]["source"]) == {"computed"}
    names = found["unit_concepts"].groupby("method")["score_name"].unique().map(list).to_dict()
    assert names == {"clip_dissect": ["soft_wpmi"], "netdissect": ["iou"]}


def test_a_run_leaves_what_was_imported_and_an_import_leaves_the_rest(warehouse):
    load(warehouse)
    part = {"method": ["clip_dissect_import"], "model": ["other"]}
    warehouse.replace("demo", {"unit_concepts": imported()}, within={"unit_concepts": part})
    load(warehouse)
    warehouse.replace("demo", {"unit_concepts": imported()}, within={"unit_concepts": part})
    found = warehouse.read("demo")
    assert found["unit_concepts"]["method"].value_counts().to_dict() == {
        "clip_dissect": 5, "netdissect": 2, "clip_dissect_import": 1,
    }  # fmt: skip
    assert len(found["clip_dissect"]) == 5


def test_a_row_outside_its_scope_and_a_unit_twice_are_refused(warehouse):
    with pytest.raises(WarehouseError, match=r"'someone' is outside of what is replaced \(other\)"):
        warehouse.replace(
            "demo", {"unit_concepts": imported("someone")}, within={"unit_concepts": {"model": ["other"]}}
        )
    with pytest.raises(WarehouseError, match="two rows for model b, layer late, unit 0, method netdissect"):
        load(warehouse, labels=pd.concat([NET, NET.iloc[:1]]))
    assert not warehouse.read("demo")["unit_concepts"].size


def test_summaries_count_detectors_and_words(warehouse):
    load(warehouse)
    found = warehouse.read("demo")
    layers = found["concepts_by_layer"].astype(object).where(found["concepts_by_layer"].notna(), None)
    assert layers.values.tolist() == [
        ["b", "clip_dissect", None, 3, 1, 2, 2],
        ["b", "clip_dissect", "late", 2, 1, 1, 1],
        ["b", "clip_dissect", "early", 1, 0, 1, 1],
        ["a", "clip_dissect", None, 2, 0, 2, 2],
        ["a", "clip_dissect", "late", 2, 0, 2, 2],
        ["b", "netdissect", None, 2, 0, 1, 1],
        ["b", "netdissect", "late", 2, 0, 1, 1],
    ]
    compared = found["models_compared"].astype(object).where(found["models_compared"].notna(), None)
    assert compared.values.tolist() == [
        ["clip_dissect", "b", "a", None, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1 / 3],
        ["clip_dissect", "b", "a", "late", 1, 1, 2, 2, 1, 2, 1, 0, 1, 0.5],
    ]
    shares = found["category_shares"].set_index(["method", "model", "layer", "category"])
    assert shares.loc[("clip_dissect", "a", "late", ""), "share"] == 0.5
    assert shares.loc[("clip_dissect", "b", "early", "color"), "depth"] == 1


UNITS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["l1", "l2"]), st.sampled_from(["dog", "car", None])),
    min_size=1,
    max_size=12,
)


@settings(max_examples=15, deadline=None)
@given(UNITS)
def test_the_views_say_what_the_functions_say(tmp_path_factory, rows):
    warehouse = Warehouse(tmp_path_factory.mktemp("w") / "warehouse.duckdb")
    table = clip([(m, layer, at, c, "object" if c else None) for at, (m, layer, c) in enumerate(rows)])
    load(warehouse, words=table, labels=pd.DataFrame())
    found = warehouse.read("demo")
    layers = found["concepts_by_layer"]
    want = {(r.model, r.layer): r.unique for r in unique_concepts(table).itertuples()}
    got = {(r.model, "all" if pd.isna(r.layer) else r.layer): r.unique_concepts for r in layers.itertuples()}
    assert got == want
    keys = ["model", "layer", "concept", "category", "units"]
    assert sorted(found["units_per_concept"][keys].values.tolist()) == sorted(
        units_per_concept(table)[keys].values.tolist()
    )
    keys = ["model", "layer", "category", "units", "share"]
    assert sorted(found["category_shares"][keys].values.tolist()) == sorted(
        category_shares(table)[keys].values.tolist()
    )
    models = list(dict.fromkeys(table["model"]))
    compared = found["models_compared"]
    if len(models) == 2:
        want_rows = comparison_table(table, *models).set_index("layer")
        for row in compared.to_dict("records"):
            assert (row["model_a"], row["model_b"]) == tuple(models)
            expected = want_rows.loc["all" if pd.isna(row["layer"]) else row["layer"]]
            assert {k: row[k] for k in expected.index} == pytest.approx(expected.to_dict())
        assert len(compared) == len(want_rows)
    else:
        assert compared.empty


def test_an_older_warehouse_is_brought_up_to_date(warehouse):
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("CREATE TABLE clip_dissect (study VARCHAR, iou DOUBLE)")
        connection.execute("CREATE TABLE netdissect (study VARCHAR)")
        connection.execute("INSERT INTO clip_dissect VALUES ('demo', 1)")
    assert warehouse.read("demo")["clip_dissect"].empty
    load(warehouse)
    assert len(warehouse.read("demo")["clip_dissect"]) == len(CLIP)


def test_a_failed_load_leaves_the_old_tables_too(warehouse):
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("CREATE TABLE clip_dissect (study VARCHAR)")
    bad = computed_concepts(CLIP, NET).assign(source=pd.NA)
    with pytest.raises(WarehouseError, match="source: no value"):
        warehouse.replace("demo", {"unit_concepts": bad})
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM clip_dissect").fetchone() == (0,)


def test_views_and_their_columns_are_commented(warehouse):
    load(warehouse)
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        comments = dict(
            connection.execute("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal").fetchall()
        )
        columns = connection.execute(
            "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"
        ).fetchall()
    assert comments == {name: view.comment for name, view in VIEWS.items()}
    for name, view in VIEWS.items():
        assert {c: text for table, c, text in columns if table == name} == view.columns
