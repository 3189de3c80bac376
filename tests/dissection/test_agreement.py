"""How far words and pixel labels agree: counts, intervals, chance."""

import numpy as np
import pandas as pd
import pytest

from tests.dissection.named import CLIP, NET, clip, net
from xai_assets.dissection.agreement import agreement, category_agreement, chance_agreement, name_agreement


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


def test_intervals_are_over_units_in_clusters_of_one_label():
    rows = [
        ("A", "l", unit, name, "object", None) for unit, name in enumerate(["car"] * 9 + list("abcdefghi"))
    ]
    words = clip(*rows)
    labels = net(*((*row[:5], True) for row in rows)).assign(concept=["car"] * 9 + ["no"] * 9)
    found = category_agreement(words, labels).iloc[0]
    assert (found["agree"], found["named"], found["n"]) == (9, 18, 2)
    assert found["high"] - found["low"] > 0.9  # two labels, and not eighteen units


@pytest.mark.parametrize(("same", "answer"), [(16, "yes"), (0, "no"), (4, "cannot_tell")])
def test_names_agree_more_often_or_less_often_than_dealt_at_random_or_neither(same, answer):
    names = ["car", "wheel", "red", "sky"] * 5
    other = [*names[:same], *(names[1:] + names[:1])[same:]] if same else names[1:] + names[:1]
    if answer == "cannot_tell":
        other = ["car"] * 5 + ["wheel"] * 5 + ["red"] * 5 + ["sky"] * 5
    rows = [("A", "l", unit, name, "object", None) for unit, name in enumerate(names)]
    labels = net(*((*row[:5], True) for row in rows)).assign(concept=other)
    whole, own = name_agreement(clip(*rows), labels).to_dict("records")
    assert (whole["answer"], own["answer"], whole["units"], whole["n"]) == (answer, answer, 20, 4)
    assert (
        pd.isna(whole["model"]) and own["model"] == "A" and whole["chance"] == pytest.approx(0.25, abs=0.02)
    )
    assert name_agreement(clip(*rows), labels.assign(detector=False)).empty


def test_names_dealt_at_random_agree_beyond_chance_in_few_cases():
    rng = np.random.default_rng(1)
    decided = 0
    for trial in range(60):
        rows = [
            ("A", "l", unit, name, "object", None) for unit, name in enumerate(rng.choice(list("abcde"), 24))
        ]
        labels = net(*((*row[:5], True) for row in rows)).assign(concept=rng.choice(list("abcde"), 24))
        decided += name_agreement(clip(*rows), labels, seed=trial)["answer"].iloc[0] != "cannot_tell"
    assert decided <= 7  # 5 %, of 60, with 99 % certainty


def test_chance_is_the_mean_over_dealings():
    rng = np.random.default_rng(0)
    words, labels = (rng.choice(["car", "wheel", "red", "sky"], 40) for _ in range(2))
    agreed = pd.DataFrame({"model": "m", "layer": "l", "concept_clip": words, "concept_net": labels})
    dealt = np.mean([(rng.permutation(words) == labels).mean() for _ in range(4000)])
    assert chance_agreement(agreed) == pytest.approx(dealt, abs=4 * 0.07 / 4000**0.5)


def test_chance_is_within_layers_and_under_the_labels_normal_form():
    assert chance_agreement(agreement(CLIP, NET)) == pytest.approx((0.5 + 1) / 3)  # l1: cars, red; l2: wheel
    assert np.isnan(chance_agreement(agreement(CLIP, NET.assign(detector=False))))
