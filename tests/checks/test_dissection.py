"""What the checks of the dissection let pass, and what they do not."""

import numpy as np
import pandas as pd
import pytest

from xai_assets.checks import dissection as checks

ACTIVATIONS = pd.DataFrame(
    {
        "model": ["m", "m"],
        "layer": ["layer3", "fc"],
        "kind": ["map", "vector"],
        "units": [4, 2],
        "dead": [1, 0],
    }
)
LABELLED = pd.DataFrame({"labelled": [True]})


def concepts(layers, q=0.01, beyond_chance=False, networks=20):
    rows = [("m", layer, unit) for layer, units in layers.items() for unit in units]
    table = pd.DataFrame(rows, columns=["model", "layer", "unit"])
    return table.assign(dead=False, q=q, beyond_chance=beyond_chance, networks=networks)


def test_half_of_a_layer_may_be_dead_and_no_more():
    assert checks.FEW_DEAD.look(ACTIVATIONS.assign(dead=[2, 1])).passed
    found = checks.FEW_DEAD.look(ACTIVATIONS.assign(dead=[3, 1]))
    assert not found.passed
    assert "m layer3 (3 of 4)" in found.said


@pytest.mark.parametrize(
    ("units", "passed"),
    [(range(4), True), (range(3), False), ([0, 1, 2, 2], False), ([1, 2, 3, 4], False)],
)
def test_each_unit_has_exactly_one_row_from_0(units, passed):
    words = concepts({"layer3": units, "fc": range(2)})
    assert checks.WORDS_COVER.look(words, LABELLED, ACTIVATIONS).passed is passed
    labels = concepts({"layer3": units})  # a vector has no place in the picture
    assert checks.LABELS_COVER.look(labels, LABELLED, ACTIVATIONS).passed is passed


def test_a_layer_that_was_left_out_is_named():
    found = checks.WORDS_COVER.look(concepts({"layer3": range(4)}), LABELLED, ACTIVATIONS)
    assert not found.passed
    assert "m fc: 0 of 2 units" in found.said


def test_a_probe_without_labels_needs_no_rows():
    none = concepts({})
    assert checks.LABELS_COVER.look(none, LABELLED.assign(labelled=False), ACTIVATIONS).passed is None


def test_what_never_beats_chance_is_said():
    assert checks.BEYOND_CHANCE.look(
        concepts({"layer3": range(4)}, q=[0.01, 0.9, 0.9, np.nan], beyond_chance=[True, False, False, False])
    ).passed
    found = checks.BEYOND_CHANCE.look(concepts({"layer3": range(4)}, q=0.06))
    assert found.passed is None and "cannot be told" in found.said
    assert found.numbers == {"units": 4, "beyond_chance": 0, "beyond_images": 0, "networks": 20}
    few = checks.BEYOND_CHANCE.look(concepts({"layer3": range(4)}, q=0.01, networks=4))
    assert few.passed is None and "with 4 networks: it takes 20" in few.said


def test_a_warning_about_the_probe_is_the_checks_sentence():
    found = checks.PROBE_HEALTH.look(pd.DataFrame({"warnings": ["duplicates: 3\nsizes: odd"]}))
    assert not found.passed
    assert found.said == "duplicates: 3; sizes: odd"
    assert checks.PROBE_HEALTH.look(pd.DataFrame({"warnings": [""]})).passed


def test_only_a_missing_row_or_an_impossible_value_stops_what_comes_after():
    blocking = [c for c in vars(checks).values() if getattr(c, "blocking", False)]
    assert blocking == [
        checks.LAYERS_SOUND,
        checks.CONCEPTS_SOUND,
        checks.WORDS_COVER,
        checks.LABELS_COVER,
    ]


def named(words, labels):
    table = pd.DataFrame({"model": "m", "layer": "layer4", "unit": range(len(words)), "dead": False})
    return table.assign(concept=words), table.assign(concept=labels, detector=True)


def test_methods_that_agree_beyond_chance_pass():
    words = ["car", "wheel", "red", "sky"] * 5
    found = checks.METHODS_AGREE.look(pd.DataFrame(), *named(words, words))
    assert found.passed and found.numbers == {"units": 20, "same": 20, "chance": 0.25}
    shifted = words[1:] + words[:1]
    found = checks.METHODS_AGREE.look(pd.DataFrame(), *named(words, shifted))
    assert not found.passed and "0 of 20 units" in found.said and "less than chance" in found.said


def test_the_numbers_of_a_verdict_are_pythons_own():
    """Dagster takes no NumPy scalar as metadata: the check, and its asset with it, would fail."""
    words = ["car", "wheel", "red", "sky"] * 5
    found = checks.METHODS_AGREE.look(pd.DataFrame(), *named(words, words))
    assert type(found.passed) is bool and {type(value) for value in found.numbers.values()} <= {
        int,
        float,
        str,
    }


def test_one_name_for_every_unit_is_no_agreement():
    # both methods call every unit alike: 100 %, and chance is 100 % as well
    found = checks.METHODS_AGREE.look(pd.DataFrame(), *named(["sky"] * 20, ["sky"] * 20))
    assert found.passed is None and "would give 100%" in found.said and "cannot be told" in found.said


def test_one_method_alone_has_nothing_to_agree_with():
    words, labels = named(["car"], ["car"])
    for left_out in (labels.iloc[:0], pd.DataFrame(), labels.assign(detector=False)):
        assert checks.METHODS_AGREE.look(pd.DataFrame(), words, left_out).passed is None


def test_layers_that_cannot_be_stop_what_comes_after():
    assert checks.LAYERS_SOUND.look(ACTIVATIONS).passed
    for change, said in [
        ({"units": [0, 2]}, "m layer3 have no unit"),
        ({"dead": [5, 0]}, "m layer3 have more dead units than units"),
        ({"layer": "fc"}, "stand there already: 1, such as m, fc"),
    ]:
        found = checks.LAYERS_SOUND.look(ACTIVATIONS.assign(**change))
        assert not found.passed and said in found.said


def test_values_that_cannot_be_stop_what_comes_after():
    table = concepts({"layer3": range(4)}).assign(
        iou=0.1, attainable_iou=0.3, score=7.0, truth_presence=np.nan
    )
    assert checks.CONCEPTS_SOUND.look(table).passed
    assert checks.CONCEPTS_SOUND.look(pd.DataFrame(columns=table.columns)).passed is None
    for change, said in [
        ({"q": 1.5}, "q is 1.5 in 4 rows, outside 0 to 1"),
        ({"iou": 0.4}, "above what their label's coverage allows: 4"),
    ]:
        found = checks.CONCEPTS_SOUND.look(table.assign(**change))
        assert not found.passed and said in found.said


def test_a_small_probe_set_and_one_without_labels_are_said():
    probe = pd.DataFrame({"images": [100], "labels": [3], "labelled": [True]})
    assert checks.ENOUGH.look(probe).passed
    assert checks.ENOUGH.look(probe.assign(labelled=False, labels=0)).passed
    few = checks.ENOUGH.look(probe.assign(images=99))
    assert not few.passed and few.said.startswith("99 images are few")
    bare = checks.ENOUGH.look(probe.assign(labels=0))
    assert not bare.passed and "names no label" in bare.said


def test_units_that_no_null_could_decide_are_not_said_to_be_chance():
    concepts = pd.DataFrame({"dead": [False, False], "q": [None, None]}).astype({"q": "float64"})
    found = checks.BEYOND_CHANCE.look(concepts)
    assert found.passed is None and found.said.startswith("Cannot be told")
