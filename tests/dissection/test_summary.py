"""Layer summaries, and two models side by side."""

import pandas as pd
import pytest

from tests.dissection.named import CLIP, NET
from xai_assets.dissection.comparison import (
    category_shares,
    compare_models,
    comparison_table,
    unique_concepts,
    units_per_concept,
)
from xai_assets.dissection.summary import layer_summary


def test_the_summary_counts():
    table = layer_summary(CLIP, NET).set_index(["model", "layer"])
    first = table.loc[("A", "l1")]
    assert (first["units"], first["dead"], first["detectors"], first["unique_detectors"]) == (3, 1, 2, 2)
    assert (first["clip_unique"], first["truth_presence"], first["agreement"]) == (2, 0.75, 0.5)
    second = table.loc[("A", "l2")]
    assert second["detectors"] == 1 and second["agreement"] == 1.0 and pd.isna(second["truth_presence"])
    assert pd.isna(table.loc[("B", "l1"), "detectors"])
    assert list(table.index) == [("A", "l1"), ("A", "l2"), ("B", "l1")]


def test_one_method_alone_is_summarised():
    assert layer_summary(CLIP, NET.iloc[:0])["detectors"].isna().all()
    assert layer_summary(CLIP, pd.DataFrame())["units"].tolist() == [3, 2, 2]
    only = layer_summary(CLIP.iloc[:0], NET)
    assert only["unique_detectors"].tolist() == [2, 1] and only["clip_unique"].tolist() == [0, 0]


def test_sets_of_two_models():
    sets = compare_models(CLIP, "A", "B")
    assert (sets.shared, sets.only_a, sets.only_b) == (("red",), ("cars", "wheel"), ("beach",))
    assert sets.jaccard == 0.25
    assert compare_models(CLIP, "A", "A").jaccard == 1.0
    assert compare_models(CLIP, "A", "B", layer="l1").jaccard == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="no rows of C"):
        compare_models(CLIP, "A", "C")
    assert comparison_table(CLIP, "A", "B")["layer"].tolist() == ["all", "l1"]


def test_only_detectors_count_for_pixel_labels():
    assert compare_models(NET, "A", "A").a == ("blue", "car", "wheel")
    assert units_per_concept(NET)["units"].tolist() == [1, 1, 1]


def test_unique_concepts_overall_and_by_layer():
    assert unique_concepts(CLIP).values.tolist() == [
        ["A", "all", 3],
        ["A", "l1", 2],
        ["A", "l2", 1],
        ["B", "all", 2],
        ["B", "l1", 2],
    ]


def test_units_per_concept_have_a_fixed_order():
    counts = units_per_concept(CLIP.iloc[::-1].reset_index(drop=True))
    assert counts[["layer", "concept", "units"]].values.tolist() == [
        ["l1", "beach", 1],
        ["l1", "red", 1],
        ["l2", "wheel", 2],
        ["l1", "cars", 1],
        ["l1", "red", 1],
    ]
    assert units_per_concept(CLIP, min_count=2)["concept"].tolist() == ["wheel"]


def test_category_shares_sum_to_one():
    shares = category_shares(CLIP)
    assert shares.groupby(["model", "layer"])["share"].sum().tolist() == [1.0, 1.0, 1.0]
    assert shares.loc[shares["layer"] == "l2", ["category", "units"]].values.tolist() == [["part", 2]]
