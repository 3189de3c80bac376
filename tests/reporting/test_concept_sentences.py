"""What is said of units: each number with what it rests on, and what cannot be told."""

import pytest

from xai_assets.reporting import concept_sentences as say

PRESENT = {
    "mean": 0.7, "low": 0.6, "high": 0.8, "n": 40, "units": 256, "chance": 0.26, "difference": 0.44, "p_holm": 0.03,
    "family_size": 3, "networks": 20, "seen": 0.72, "shuffled": 0.5, "p_network": 0.048, "answer": "yes",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, "in 70% [60%, 80%] of a unit's most activating images (256 units, 40 words), more than the 26%"),
        ({}, "(p = 0.030, Holm over 3 layers) and more than in any of 20 networks with shuffled weights."),
        ({"networks": 0, "p_network": None}, "(p = 0.030, Holm over 3 layers)."),
        ({"answer": "no", "difference": -0.1}, "less than the 26%"),
        ({"answer": "cannot_tell", "p_holm": 0.2}, "; that this is more than the 26%"),
        (
            {"answer": "cannot_tell", "p_network": 0.62},
            "but that training explains it cannot be told: on the same",
        ),
        (
            {"answer": "cannot_tell", "p_network": 0.62},
            "20 networks with shuffled weights reach 50% on average",
        ),
        ({"chance": None, "p_holm": None, "low": None, "answer": "cannot_tell"}, "in 70% of a unit's"),
    ],
)
def test_presence_stands_beside_its_chance_and_its_shuffled_networks(changed, says):
    assert says in say.presence("layer4", PRESENT | changed)


def test_without_labels_presence_is_not_known():
    assert "is not known" in say.presence("layer4", None)


def test_only_models_above_chance_are_put_together():
    good, bad = {"label": "a", "row": PRESENT}, {"label": "b", "row": PRESENT | {"answer": "cannot_tell"}}
    together, other = say.presences([good, {**good, "label": "c"}, bad])
    start = "CLIP-Dissect's word is truly present in 70% [60%, 80%] (a; chance 26%; 256 units, 40 words;"
    assert together.startswith(start)
    assert other.startswith("b: ") and "cannot be told" in other


def beyond(**changed):
    row = {
        "living": 64, "beyond_images": 30, "beyond": 0, "networks": 20, "p_network": 0.5, "fewest_networks": 20,
        "answer": "cannot_tell",
    }  # fmt: skip
    return say.beyond({"layer": "layer2", "labels_beyond": None, "words_beyond": row | changed})


def test_units_beyond_chance_are_counted_of_all_and_what_cannot_be_told_is_no_failure():
    found = beyond(beyond=30, p_network=0.0476, answer="yes")
    assert (
        "30 of 64 active units have a word from CLIP-Dissect that neither images in another order nor 20"
        in found
    )
    assert "(p = 0.048 for the layer)" in found and "detectors" not in found
    assert "do not explain them cannot be told (p = 0.50 for the layer)" in beyond()
    assert "cannot be told with 4 networks with shuffled weights; at least 20" in beyond(networks=4)
    assert "no untrained network was looked at" in beyond(networks=0, answer="yes", beyond=30)


def category(name, answer, a, b):
    return {
        "category": name, "a": {"units": a}, "b": {"units": b}, "difference": {"n": 9}, "p_holm": 0.02,
        "family_size": 3, "answer": answer,
    }  # fmt: skip


def test_what_two_last_layers_are_about_is_told_both_ways_and_where_it_is_open():
    rows = [
        category("object", "yes", 40, 10),
        category("scene", "no", 3, 60),
        category("part", "cannot_tell", 5, 6),
    ]
    assert say.depths({"method": "pixel labels", "all_a": 100, "all_b": 90, "rows": rows}, "A", "B") == (
        "By pixel labels (Holm over 3 categories), A has the larger share of units for object (40 of 100 against 10 of "
        "90 units, 9 words, p = 0.020); B has the larger share of units for scene (3 of 100 against 60 of 90 units, 9 "
        "words, p = 0.020); for part it cannot be told which has more."
    )


def test_how_many_units_are_left_out_is_said():
    rows = [{"model": "A", "named": 111, "counted": 42}, {"model": "B", "named": 1, "counted": 0}]
    assert "42 of 111 units of A and 0 of 1 unit of B" in say.left_out(rows)
