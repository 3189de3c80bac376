"""Run against run: what is noise and what is not."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from xai_assets.dissection.rerun import compare_runs, same_units


def run(units=100, *, gap=0.5, seed=0, noise=0.01):
    """Units 0.. of one layer, concept "c<unit>", scores that differ from seed to seed by up to `noise`."""
    moved = np.random.default_rng(seed).uniform(-noise / 2, noise / 2, units)
    return pd.DataFrame(
        {"layer": "l", "unit": range(units), "concept": [f"c{u}" for u in range(units)], "score": 1 + moved, "gap": gap}
    )  # fmt: skip


def changed(table, count, **columns):
    other = table.copy()
    other.loc[: count - 1, "concept"] = "other"
    for name, value in columns.items():
        other.loc[: count - 1, name] = value
    return other


def test_a_run_is_itself():
    found = compare_runs(run(), run())
    assert (found.units, found.same, found.share, found.counted) == (100, 100, 1.0, 0)
    assert found.changed.empty and not found.beyond_noise and found.unique_a == found.unique_b == 100
    assert found.verdict.startswith("no change beyond noise: 100 of 100 units keep their concept, 0 change")


def test_one_unit_is_never_a_finding_and_two_of_few_are():
    first = compare_runs(run(30), changed(run(30), 1))
    assert (first.counted, first.allowed, first.beyond_noise) == (1, 1, False)
    second = compare_runs(run(30), changed(run(30), 2))
    assert (second.counted, second.allowed, second.beyond_noise) == (2, 1, True)
    assert second.verdict == (
        "changed: 28 of 30 units keep their concept, 2 change (0 by near-ties; a rerun may change 1 more)"
    )


def test_without_gaps_the_binomial_bound_decides():
    table = run(896).drop(columns=["gap", "score"])
    allowed = next(k for k in range(896) if binom.cdf(k, 896, 0.016) >= 0.95)
    assert allowed == 21
    assert not compare_runs(table, changed(table, 21)).beyond_noise
    assert compare_runs(table, changed(table, 22)).beyond_noise


def test_with_gaps_fewer_changes_are_noise():
    """Changes that no near-tie explains are seldom: where near-ties can be told, the bound is that of these alone."""
    a, b = run(896, seed=1), run(896, seed=2)
    wide = [
        compare_runs(changed(a, many, concept="x", gap=0.3), changed(b, many, gap=0.3)) for many in (4, 5)
    ]
    assert [found.counted for found in wide] == [4, 5] and [found.allowed for found in wide] == [4, 4]
    assert [found.beyond_noise for found in wide] == [False, True]
    unmeasured = compare_runs(a.drop(columns=["score"]), b.drop(columns=["score"]))
    assert unmeasured.allowed == 21


def test_near_ties_are_noise_and_wide_gaps_are_not():
    a, b = run(100, seed=1), run(100, seed=2)  # scores move by up to 0.01: a difference of two by up to 0.02
    near = compare_runs(changed(a, 5, concept="x", gap=0.004), changed(b, 5, gap=0.004))
    assert near.changed["explained"].tolist() == [True] * 5
    assert near.counted == 0 and not near.beyond_noise
    wide = compare_runs(changed(a, 5, concept="x", gap=0.3), changed(b, 5, gap=0.004))
    assert wide.counted == 5 and wide.beyond_noise
    unknown = compare_runs(changed(a, 5, concept="x", gap=math.nan), changed(b, 5, gap=math.nan))
    assert unknown.counted == 5


def test_a_model_that_changed_does_not_excuse_itself():
    """Scores that all move say nothing about noise where many units changed, or few are left to measure it by."""
    a = run(100, gap=0.01)
    b = changed(run(100, gap=0.01, seed=3, noise=5), 20)
    assert compare_runs(a, b).counted == 20
    assert compare_runs(run(15, gap=0.01), changed(run(15, gap=0.01, seed=3, noise=5), 2)).counted == 2


def test_spelling_is_no_change():
    a = pd.DataFrame({"layer": "l", "unit": [0, 1, 2], "concept": ["Fire_truck", "street-s", None]})
    b = pd.DataFrame({"layer": "l", "unit": [2, 1, 0], "concept": [None, "Street", "fire truck"]})
    found = compare_runs(a, b)
    assert (found.units, found.same) == (2, 2)  # a unit that has no concept in either run is not compared


def test_a_unit_that_dies_has_changed():
    a = run(10)
    b = a.assign(concept=a["concept"].where(a["unit"] > 0), gap=a["gap"].where(a["unit"] > 0))
    found = compare_runs(a, b)
    assert found.changed[["layer", "unit", "concept_a"]].values.tolist() == [["l", 0, "c0"]]
    assert found.changed["concept_b"].isna().all() and found.counted == 1


def test_crossing_the_detectors_limit_changes_no_concept():
    a = run(10).assign(detector=[True] * 5 + [False] * 5)
    b = changed(run(10), 1).assign(detector=[True] * 6 + [False] * 4)
    found = compare_runs(a, b)
    assert (found.units, found.same) == (6, 5)


def test_other_units_are_refused():
    with pytest.raises(ValueError, match="same layers and units"):
        compare_runs(run(10), run(11))
    with pytest.raises(ValueError, match="twice"):
        same_units(run(2), pd.concat([run(2), run(2)]))
    empty = run(3).assign(concept=None)
    found = compare_runs(empty, empty)
    assert math.isnan(found.share) and "nothing to compare" in found.verdict


TABLES = st.lists(
    st.tuples(
        st.sampled_from(["dog", "dogs", "car", None]),
        st.none() | st.floats(0, 2),
        st.none() | st.floats(0, 1),
    ),
    min_size=1,
    max_size=40,
)


def table(rows):
    built = pd.DataFrame(rows, columns=["concept", "score", "gap"])
    return built.assign(layer=["a" if at % 3 else "b" for at in range(len(rows))], unit=range(len(rows)))


@settings(deadline=None, max_examples=25)
@given(TABLES, st.data())
def test_the_order_of_runs_and_rows_does_not_matter_and_a_run_equals_itself(rows, data):
    a = table(rows)
    b = table([data.draw(st.sampled_from(rows)) for _ in rows])
    there, back = compare_runs(a, b), compare_runs(b, a.iloc[::-1])
    assert (there.units, there.same, there.counted, there.allowed, there.verdict) == (
        back.units, back.same, back.counted, back.allowed, back.verdict,
    )  # fmt: skip
    assert (there.unique_a, there.unique_b) == (back.unique_b, back.unique_a)
    own = compare_runs(a, a)
    assert own.same == own.units and own.counted == 0 and own.changed.empty
