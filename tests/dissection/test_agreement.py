"""How far words and pixel labels agree: counts, intervals, chance."""

import numpy as np
import pandas as pd
import pytest

from tests.dissection.named import CLIP, NET
from xai_assets.dissection.agreement import agreement, category_agreement, chance_agreement, wilson


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


def test_chance_is_the_mean_over_dealings():
    rng = np.random.default_rng(0)
    words, labels = (rng.choice(["car", "wheel", "red", "sky"], 40) for _ in range(2))
    agreed = pd.DataFrame({"model": "m", "layer": "l", "concept_clip": words, "concept_net": labels})
    dealt = np.mean([(rng.permutation(words) == labels).mean() for _ in range(4000)])
    assert chance_agreement(agreed) == pytest.approx(dealt, abs=4 * 0.07 / 4000**0.5)


def test_chance_is_within_layers_and_under_the_labels_normal_form():
    assert chance_agreement(agreement(CLIP, NET)) == pytest.approx((0.5 + 1) / 3)  # l1: cars, red; l2: wheel
    assert np.isnan(chance_agreement(agreement(CLIP, NET.assign(detector=False))))
