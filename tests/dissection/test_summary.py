"""Layer summaries, and two models side by side."""

import pandas as pd
import pytest

from xai_assets.dissection.comparison import (
    category_shares,
    compare_models,
    comparison_table,
    unique_concepts,
    units_per_concept,
)
from xai_assets.dissection.summary import agreement, category_agreement, layer_summary, wilson


def clip(*rows):
    table = pd.DataFrame(rows, columns=["model", "layer", "unit", "concept", "category", "truth_presence"])
    return table.assign(dead=table["concept"].isna(), chance_presence=0.25)


def net(*rows):
    table = pd.DataFrame(rows, columns=["model", "layer", "unit", "concept", "category", "detector"])
    return table.assign(dead=table["concept"].isna())


CLIP = clip(
    ("A", "l1", 0, "cars", "object", 0.5),
    ("A", "l1", 1, "red", "color", 1.0),
    ("A", "l1", 2, None, None, None),
    ("A", "l2", 0, "wheel", "part", None),
    ("A", "l2", 1, "wheel", "part", None),
    ("B", "l1", 0, "red", "color", 0.0),
    ("B", "l1", 1, "beach", "scene", 0.0),
)
NET = net(
    ("A", "l1", 0, "car", "object", True),
    ("A", "l1", 1, "blue", "color", True),
    ("A", "l1", 2, None, None, False),
    ("A", "l2", 0, "wheel", "part", False),
    ("A", "l2", 1, "wheel", "part", True),
)


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


def test_agreement_is_over_units_that_both_name():
    assert agreement(CLIP, NET)[["layer", "unit", "agree"]].values.tolist() == [
        ["l1", 0, True],
        ["l1", 1, False],
        ["l2", 1, True],
    ]


def test_agreement_by_category_counts_detectors_words_and_hits():
    found = category_agreement(CLIP, NET)
    assert found.iloc[:, :7].fillna({"layer": ""}).values.tolist() == [
        ["A", "", "color", 1, 1, 0, 0.0],
        ["A", "", "object", 1, 1, 1, 1.0],
        ["A", "", "part", 1, 1, 1, 1.0],
        ["A", "l1", "color", 1, 1, 0, 0.0],
        ["A", "l1", "object", 1, 1, 1, 1.0],
        ["A", "l2", "part", 1, 1, 1, 1.0],
    ]
    silent = category_agreement(CLIP.assign(concept=None), NET).set_index(["layer", "category"])
    assert silent.loc[("l1", "object"), ["detectors", "named", "agree"]].tolist() == [1, 0, 0]
    assert silent[["agreement", "low", "high"]].isna().all(axis=None)
    assert category_agreement(CLIP, NET.iloc[:0]).empty and category_agreement(pd.DataFrame(), NET).empty


def test_the_interval_is_wilsons():
    # 8 of 10: the textbook's (0.490, 0.943); and its ends at no hit and at all hits
    assert wilson(8, 10) == pytest.approx((0.4901625, 0.9433178), abs=1e-6)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775328), abs=1e-6)
    assert wilson(10, 10) == pytest.approx((0.7224672, 1.0), abs=1e-6)


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
