"""Two models' last layers by category: known shares, and units that stand for nothing."""

from dataclasses import replace

import pandas as pd
import pytest

from tests.reporting.conftest import SMALL
from tests.reporting.plausible import plausible
from xai_assets.dissection.category_comparison import category_comparison
from xai_assets.dissection.comparison import comparison_table, only_counted
from xai_assets.reporting.contrast import contrast
from xai_assets.reporting.depth import depth
from xai_assets.reporting.results import StudyResults


def units(model, categories):
    return [
        {
            "model": model, "layer": "layer4", "unit": unit, "concept": category and f"{category} {unit % 12}",
            "category": category, "dead": category is None,
        }
        for unit, category in enumerate(categories)
    ]  # fmt: skip


def results(a, b):
    table = pd.DataFrame(units("A", a) + units("B", b))
    return of(table)


def of(words=None, labels=None):
    words, labels = (pd.DataFrame() if table is None else table for table in (words, labels))
    compared = category_comparison(words, labels)
    return StudyResults({"name": "s", "title": "S", "seed": 0}, category_comparison=compared)


def test_shares_are_of_all_units_and_the_difference_has_its_sign():
    (block,) = depth(results(["object"] * 60 + [None] * 40, ["object"] * 10 + ["scene"] * 90), "A", "B")
    rows = {row["category"]: row for row in block["rows"]}
    assert list(rows) == ["object", "scene"]
    assert rows["object"]["a"]["mean"] == pytest.approx(0.6)
    assert rows["object"]["difference"]["mean"] == pytest.approx(0.5)
    assert rows["object"]["difference"]["low"] > 0.25
    assert rows["scene"]["difference"]["high"] < -0.7
    assert "A has the larger share of units for object" in block["sentence"]


def test_a_detector_below_the_limit_stands_for_nothing():
    table = pd.DataFrame(units("A", ["object"] * 4) + units("B", ["object"] * 4))
    table["detector"] = [True] * 4 + [False] * 4
    (block,) = depth(of(labels=table), "A", "B")
    assert block["rows"][0]["b"]["mean"] == 0.0 and block["rows"][0]["b"]["high"] > 0.3


def test_a_unit_that_chance_explains_stands_for_nothing():
    table = pd.DataFrame(units("A", ["object"] * 12) + units("B", ["object"] * 12))
    table["beyond_chance"] = [True] * 12 + [False] * 12
    (row,) = depth(of(table), "A", "B")[0]["rows"]
    assert (row["a"]["units"], row["b"]["units"], row["difference"]["n"], row["answer"]) == (12, 0, 12, "yes")


def test_one_model_alone_has_no_comparison():
    table = pd.DataFrame(units("A", ["object"]))
    assert depth(of(table), "A", "B") == []


def test_a_comparison_by_pixel_labels_says_what_the_words_share():
    made = plausible(2, 1, layers=SMALL)
    (pair,) = contrast(made)["pairs"]
    first, second = pair["a"], pair["b"]
    table = comparison_table(only_counted(made.clip_dissect), first, second).set_index("layer")
    shared = table.loc[pair["bars_layer"], "shared"]
    assert f"By CLIP-Dissect's words they share {shared} of " in pair["sentences"][-2]
    assert pair["sentences"][-1].startswith("Compared are the units whose concept chance does not explain: ")
    alone = contrast(replace(made, netdissect=made.netdissect.iloc[:0]))["pairs"][0]
    assert not any("By CLIP-Dissect's words" in sentence for sentence in alone["sentences"])
