"""From the steps' tables to the warehouse and on to the reports: they get what they got, by other ways."""

import pandas as pd
import pytest

from tests.resources.test_concept_views import CLIP, NET
from xai_assets.analysis.loading import load_concepts
from xai_assets.analysis.workbench import Workbench
from xai_assets.reporting.results import StudyResults
from xai_assets.resources.loads import LOADS
from xai_assets.settings import Settings


@pytest.fixture
def bench(tmp_path):
    return Workbench.open("demo", Settings.from_environment({"XAI_DATA": str(tmp_path)}))


def test_concepts_are_loaded_with_their_agreement_and_read_by_reports(bench):
    health = [["images", "10", "ok"]]
    bench.store.put("probe_health", "ab" * 16, {}, {"health": health})
    embeddings = pd.DataFrame([{"health": "ab" * 16}])
    rows = load_concepts(bench, embeddings, CLIP, NET).set_index("table")["rows"].to_dict()
    assert rows == {
        "unit_concepts": 7, "layer_summary": 3, "presence_summary": 0, "units_beyond_chance": 4, "name_agreement": 2,
        "category_agreement": 2, "category_comparison": 2, "probe_health": 1,
    }  # fmt: skip
    assert set(rows) == set(LOADS["concept_tables"])
    assert load_concepts(bench, embeddings, CLIP, NET)["rows"].sum() == 21  # again: in their place
    tables = bench.warehouse.read("demo")
    named = {name: frame for name, frame in tables.items() if name in StudyResults.table_names()}
    results = StudyResults(study={"name": "demo", "title": "x"}, **named)
    assert results.clip_dissect["concept"].tolist()[:1] == ["dog"] and len(results.clip_dissect) == 5
    assert results.netdissect["iou"].tolist() == [0.1, 0.1]
    agreement = tables["category_agreement"]
    assert agreement[["category", "detectors", "named", "agree"]].values.tolist() == [["object", 1, 1, 1]] * 2


def test_a_study_without_pixel_labels_is_loaded(bench):
    bench.store.put("probe_health", "cd" * 16, {}, {"health": []})
    load_concepts(bench, pd.DataFrame([{"health": "cd" * 16}]), CLIP, NET.iloc[:0])
    tables = bench.warehouse.read("demo")
    assert len(tables["clip_dissect"]) == 5 and tables["netdissect"].empty
    assert tables["category_agreement"].empty


def test_views_without_an_order_of_one_s_own_come_in_theirs(bench):
    bench.store.put("probe_health", "ef" * 16, {}, {"health": []})
    load_concepts(bench, pd.DataFrame([{"health": "ef" * 16}]), CLIP, NET)
    for view, order in (
        ("concepts_by_layer", ["place"]),
        ("category_shares", ["model", "method", "depth", "category"]),
    ):
        columns, rows = bench.warehouse.query(f"FROM {view}")
        found = pd.DataFrame(rows, columns=columns)
        assert len(found) > 2
        pd.testing.assert_frame_equal(found, found.sort_values(order, kind="stable", ignore_index=True))
        assert not found.duplicated(order).any()
        assert bench.warehouse.query(f"FROM {view}")[1] == rows
