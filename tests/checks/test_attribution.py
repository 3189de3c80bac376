"""What the checks of a method's maps let pass, and what they do not; on tables, and on maps that a method has made."""

import numpy as np
import pandas as pd
import pytest

from tests.analysis.test_explanations import place, step  # noqa: F401  (place is a fixture)
from xai_assets.analysis.map_facts import map_facts
from xai_assets.checks import attribution as checks
from xai_assets.checks.attribution import COVERED, FEW_BLANK, SOUND

CASES = pd.DataFrame(
    {"image_id": ["a", "b", "b"], "target_index": [0, 0, 1], "target_name": ["cat", "cat", "dog"]}
)
MAPS = CASES.assign(method="gradcam", threshold=0.5, density=0.2, constant=False)
STORED = MAPS[["method", "image_id", "target_index"]].assign(
    finite=True, as_said=True, framed=True, explained=True
)


def test_each_case_has_its_map():
    assert COVERED.look(MAPS, CASES, STORED).passed
    found = COVERED.look(MAPS.iloc[:2], CASES, STORED)
    assert not found.passed and "1 of 3 maps are missing: gradcam b dog." in found.said
    both = pd.concat([MAPS, MAPS.iloc[1:].assign(method="hirescam")])
    assert "1 of 6 maps are missing: hirescam a cat." in COVERED.look(both, CASES, STORED).said


@pytest.mark.parametrize(
    ("maps", "stored", "said"),
    [
        (MAPS.assign(target_index=[0, 0, 2]), STORED, "b 2 dog explain no class of the table predictions"),
        (MAPS.assign(target_name="cat"), STORED, "b 1 cat explain no class"),
        (pd.concat([MAPS, MAPS.iloc[:1]]), STORED, "stand there already: 1, such as gradcam, a, 0"),
        (MAPS.assign(density=1.2), STORED, "density is 1.2 in 3 rows, outside 0 to 1"),
        (MAPS.assign(threshold=-0.5), STORED, "threshold is -0.5"),
        (MAPS, STORED.assign(finite=[True, False, True]), "gradcam b 0 have values that are not finite"),
        (
            MAPS,
            STORED.assign(as_said=[False, True, True]),
            "gradcam a 0 have another range or mask than their row says",
        ),
        (MAPS, STORED.assign(framed=[False, True, True]), "gradcam a 0 have another frame"),
    ],
)
def test_maps_that_are_not_sound_stop_what_comes_after(maps, stored, said):
    assert SOUND.look(MAPS, CASES, STORED).passed
    found = SOUND.look(maps, CASES, stored)
    assert not found.passed and said in found.said and found.numbers["problems"] == 1
    assert SOUND.blocking and not (COVERED.blocking or FEW_BLANK.blocking)


def test_one_map_in_ten_may_be_blank():
    many = pd.concat([MAPS] * 4, ignore_index=True)
    assert FEW_BLANK.look(many.assign(constant=[True] + [False] * 11)).passed
    for blank in ({"constant": [True] * 2 + [False] * 10}, {"density": [0.0, 1.0] + [0.2] * 10}):
        found = FEW_BLANK.look(many.assign(**blank))
        assert not found.passed and found.numbers == {"maps": 12, "blank": 2}
        assert "target layer" in found.said and "LIME" not in found.said


def test_a_lime_map_that_explains_nothing_counts_as_blank():
    maps, stored = MAPS.assign(method="lime"), STORED.assign(method="lime", explained=[True, False, True])
    found = FEW_BLANK.look(maps, CASES, stored)
    assert not found.passed and found.numbers == {"maps": 3, "blank": 1}
    assert (
        "lime b 0" in found.said
        and "too few samples count" in found.said
        and "target layer" not in found.said
    )


@pytest.mark.parametrize("check", checks.CHECKS)
def test_a_method_that_is_left_out_has_nothing_to_look_at(check):
    found = check.look(MAPS.iloc[:0], CASES, STORED.iloc[:0])
    assert found.passed is None and found.said == "The study leaves the method out."


@pytest.fixture
def made(place):  # noqa: F811
    bench, (maps,), (cases, _) = step(place, "gradcam")
    return bench, maps, cases


def test_stored_maps_are_what_their_rows_say(made):
    bench, maps, cases = made
    facts = map_facts(bench, maps, cases)
    assert len(facts) == len(maps) and facts[["finite", "as_said", "framed"]].all(axis=None)
    assert SOUND.look(maps, cases, facts).passed


@pytest.mark.parametrize(
    ("harm", "column"),
    [
        (lambda values, meta: values.__setitem__((0, 0), np.nan), "finite"),
        (lambda values, meta: values.__setitem__((0, 0), 1e3), "as_said"),
        (lambda values, meta: meta["frame"]["box"].__setitem__(0, 7.0), "framed"),
    ],
)
def test_what_is_wrong_in_a_stored_map_is_found(made, harm, column):
    bench, maps, cases = made
    arrays, meta = bench.store.get("maps", maps["artifact"][0])
    values = arrays["values"].copy()
    harm(values, meta)
    bench.store.put("maps", maps["artifact"][0], arrays | {"values": values}, meta)
    facts = map_facts(bench, maps, cases)
    assert not facts[column][0] and facts[column][1:].all()
    assert not SOUND.look(maps, cases, facts).passed
