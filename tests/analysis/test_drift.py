"""A study run again: the same is the same, an edited picture and another limit show, and old maps may be gone."""

import numpy as np
import pandas as pd
import pytest

from tests.analysis.test_explanations import draw, place, step  # noqa: F401  (place is a fixture)
from xai_assets.analysis.drift import explanation_drift
from xai_assets.checks.warehouse import EXPLANATIONS_HOLD
from xai_assets.resources.frames import write_table
from xai_assets.resources.tables import TABLES

NOTHING = pd.DataFrame(columns=list(TABLES["localization"].columns))
NO_CONCEPTS = pd.DataFrame(columns=["model", "method"])


def units(*concepts, model="m"):
    table = pd.DataFrame(
        {"model": model, "method": "clip_dissect", "layer": "l", "unit": range(len(concepts))}
    )
    return table.assign(concept=concepts, score=1.0, gap=0.5, detector=None)


def run(place, concepts=NO_CONCEPTS, layer="layer1"):  # noqa: F811
    """A run as Dagster's: its table is kept, and the next one compares with it."""
    bench, (table,), _ = step(place, "gradcam", layer=layer)
    found = explanation_drift(bench, table, NOTHING, concepts)
    write_table(bench.settings.artifacts, "explanation_drift", "cams", found)
    return found


def test_the_first_run_says_so_and_the_second_is_the_same(place):  # noqa: F811
    first = run(place)
    assert first["kind"].tolist() == ["first"] and EXPLANATIONS_HOLD.look(first).passed is None
    second = run(place)
    row = second.iloc[0]
    assert (row["kind"], row["compared"], row["same"], row["value"]) == ("masks", 3, 3, 1.0)
    assert row["snapshot"] == row["baseline"] == first["snapshot"].iloc[0]
    found = EXPLANATIONS_HOLD.look(second)
    assert found.passed and found.said.startswith("No change beyond noise: 3 of 3")


def test_other_masks_show_though_the_old_maps_are_gone(place):  # noqa: F811
    run(place)
    for map_file in (place / "data" / "artifacts" / "maps_blocks").rglob("*.safetensors"):
        map_file.unlink()
    found = run(place, layer="layer4")
    row = found.iloc[0]
    assert (row["compared"], row["same"]) == (3, 0)
    assert 0 <= row["value"] < 0.9 and row["drifted"] and row["snapshot"] != row["baseline"]
    verdict = EXPLANATIONS_HOLD.look(found)
    assert not verdict.passed and verdict.said.startswith("gradcam, iou: 0 of 3 masks")


def test_a_picture_that_came_and_one_that_went_are_counted(place):  # noqa: F811
    run(place)
    (place / "photographs" / "0.png").unlink()
    draw(place / "photographs", 9, 9)
    row = run(place).iloc[0]
    assert (row["compared"], row["appeared"], row["gone"]) == (2, 1, 1)


@pytest.mark.parametrize(("changed", "drifted"), [(1, False), (30, True)])
def test_one_unit_is_noise_and_many_are_not(place, changed, drifted):  # noqa: F811
    before = ["dog"] * 100
    run(place, units(*before))
    found = run(place, units(*["cat"] * changed, *before[changed:]))
    row = found[found["kind"] == "concepts"].iloc[0]
    assert (row["compared"], row["same"], bool(row["drifted"])) == (100, 100 - changed, drifted)
    assert np.isclose(row["value"], 1 - changed / 100)


def test_a_model_that_was_not_dissected_before_is_a_change(place):  # noqa: F811
    run(place, units("dog"))
    row = run(place, units("dog", model="other")).iloc[-1]
    assert bool(row["drifted"]) and row["said"] == "It was not dissected before."
