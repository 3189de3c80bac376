"""What a budget leaves out is said, and never measured by half."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.analysis.test_robustness_reuse import made, place  # noqa: F401 - a fixture
from xai_assets.analysis import budget, faithfulness, robustness
from xai_assets.analysis.budget import LEFT_OUT, Budget, left_out_table, measured, spread_order
from xai_assets.checks import evaluation as checks
from xai_assets.checks.check import NOT_ASKED, state
from xai_assets.resources.tables import TABLES

COLUMNS = [*TABLES["faithfulness"].columns, LEFT_OUT]


def test_a_budget_ends_and_none_does_not():
    now = [0.0]
    some = Budget(10, clock=lambda: now[0])
    assert some.allows() and some.allows(10) and not some.allows(10.1)
    now[0] = 4
    assert some.allows(6) and not some.allows(7)
    now[0] = 11
    assert not some.allows()
    assert some.reason == "budget of 10 s"
    assert Budget(None, clock=lambda: now[0]).allows(1e9)


@given(st.integers(1, 300))
def test_the_order_is_of_all_and_every_beginning_lies_evenly(count):
    order = list(spread_order(count))
    assert sorted(order) == list(range(count))
    for some in (2, 4, 8):
        if count >= 4 * some:
            beginning = sorted(order[:some])
            assert np.diff([*beginning, count]).max() <= 2 * -(-count // some) + 2


def with_budget(bench, name, seconds):
    asked = bench.attribution
    part = getattr(asked, name).model_copy(update={"budget": seconds})
    attribution = asked.model_copy(update={name: part})
    from dataclasses import replace

    study = bench.study.model_copy(update={"attribution": attribution})
    return replace(bench, file=replace(bench.file, study=study))


def test_faithfulness_measures_whole_images_and_goes_on_the_next_time(place):  # noqa: F811
    bench, maps, cases = made(place)
    short = with_budget(bench, "faithfulness", 1e-6)
    first = faithfulness.faithfulness(short, maps, cases)
    assert list(first.columns) == COLUMNS
    there = measured(first)
    assert there["image_id"].nunique() == 1  # one is measured in any case
    out = first[first[LEFT_OUT].notna()]
    assert out["image_id"].nunique() == 2 and len(out) == 2 * 3 and out["value"].isna().all()
    assert set(out[LEFT_OUT]) == {"budget of 1e-06 s"}
    table = left_out_table([("faithfulness", first), ("robustness", maps)])
    assert table["maps"].tolist() == [2, 2, 2] and table["asked"].tolist() == [3, 3, 3]
    whole = faithfulness.faithfulness(bench, maps, cases)
    assert left_out_table([("faithfulness", whole)]).empty
    again = faithfulness.faithfulness(short, maps, cases)  # all of it is kept, and costs no time
    pd.testing.assert_frame_equal(measured(again), measured(whole))


def test_robustness_takes_cheap_methods_first_and_says_what_it_left_out(place):  # noqa: F811
    bench, maps, cases = made(place)
    seconds = {"gradcam": 0.001, "lime": 50.0, "scorecam": 500.0}
    maps = maps.assign(seconds=maps["method"].map(seconds))
    assert robustness.cheapest_first(maps) == ["gradcam", "lime", "scorecam"]
    short = with_budget(bench, "robustness", 100.0)
    found = robustness.robustness(short, maps, cases)
    out = found[found[LEFT_OUT].notna()]
    assert set(out["method"]) == {"lime", "scorecam"}
    assert set(measured(found).query("not is_control")["method"]) == {"gradcam"}
    vetoes = robustness.randomisation_veto(short, found)
    said = checks.FOLLOWS.result(found, maps, vetoes, asked=True)
    assert state(said) == NOT_ASKED and said.description.startswith("Left out: lime, scorecam")
    looked = checks.LOOKED_AT.result(found, maps, vetoes, asked=True)
    assert state(looked) == NOT_ASKED and looked.description.startswith("Left out: 4 of 6 maps")
    whole = robustness.robustness(bench, maps, cases)
    assert left_out_table([("robustness", whole)]).empty
    again = robustness.robustness(short, maps, cases)
    pd.testing.assert_frame_equal(again, whole)
    assert checks.LOOKED_AT.result(whole, maps, asked=True).passed
    assert state(checks.LOOKED_AT.result(whole, maps, asked=True)) == "passed"


@pytest.mark.parametrize("name", ["faithfulness", "robustness"])
def test_without_a_budget_nothing_is_left_out_and_the_keys_are_as_before(place, name):  # noqa: F811
    bench, maps, cases = made(place)
    function = getattr(faithfulness if name == "faithfulness" else robustness, name)
    before = function(bench, maps, cases)
    bench.tally.computed = bench.tally.reused = 0
    after = function(with_budget(bench, name, 1e6), maps, cases)
    assert bench.tally.computed == 0 and bench.tally.reused > 0
    pd.testing.assert_frame_equal(before, after)
    assert before[LEFT_OUT].isna().all()
    assert budget.measured(before).columns.tolist() == list(TABLES[name].columns)
