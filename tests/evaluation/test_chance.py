"""Chance from other images, by pair and by truth: known maps have known answers, and what shows nothing is left out."""

import numpy as np
import pandas as pd
import pytest

from xai_assets.evaluation.across_images import OrderedMap
from xai_assets.evaluation.agreement_summary import COLUMNS, agreement_summary
from xai_assets.evaluation.chance import (
    LOCALIZATION,
    OF_PAIRS,
    OF_TRUTHS,
    CaseMaps,
    ShownMap,
    chance_of_pairs,
    chance_of_truths,
)
from xai_assets.evaluation.comparison import OTHER_IMAGES, metric_summary, metric_tests
from xai_assets.evaluation.equal_area import AREAS
from xai_assets.evaluation.localization import COLUMNS as LOCALIZED
from xai_assets.evaluation.localization import METRICS_OF, localization_values, localize
from xai_assets.evaluation.overlap import iou
from xai_assets.resources.tables import TABLES

SIDE = 12


def spot(at):
    """A map that is highest at one place, different for each number."""
    rows, columns = np.indices((SIDE, SIDE))
    y, x = divmod(at * 29 % (SIDE * SIDE), SIDE)
    return np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 6).astype(np.float32)


def shown(values):
    return ShownMap.of(values, values > 0.5 * values.max())


def cases(images, *, lost=None):
    """One class an image: `a` and `b` agree, `c` shows another image's place; the truth is where `a` is."""
    for image in range(images):
        values = {"a": spot(image), "b": spot(image) ** 2, "c": spot(image + images + 3)}
        maps = {name: shown(one) for name, one in values.items()}
        if image == lost:
            del maps["b"]
        yield CaseMaps(image, maps, {"object": (spot(image) > 0.6).ravel()})


def tables(blocks):
    """The case tables of such blocks, in the columns that the summary reads."""
    agreement, sweep = [], []
    for case in (case for block in blocks for case in block):
        for a, b in (("a", "b"), ("a", "c"), ("b", "c")):
            there = a in case.maps and b in case.maps
            of = {"image_id": f"image {case.image}", "method_a": a, "method_b": b}
            masks = [case.maps[name].order.mask for name in (a, b)] if there else None
            value = iou(*masks) if masks else None
            agreement.append(
                of
                | dict.fromkeys(("iou", "iou_matched", "rank_correlation", "dice"), value)
                | {"chance_iou": 0.1, "chance_iou_matched": 0.1}
            )
            if there:
                sweep += [of | {"area": area, "iou": value, "chance_iou": area} for area in AREAS]
    return pd.DataFrame(agreement), pd.DataFrame(sweep)


def test_a_map_that_shows_nothing_is_none():
    assert ShownMap.of(np.ones((3, 3), np.float32), np.ones((3, 3), bool)) is None
    assert ShownMap.of(np.full((3, 3), np.nan, np.float32), np.ones((3, 3), bool)) is None


def test_methods_that_see_the_image_are_beyond_chance_and_one_that_sees_another_is_not():
    blocks = [list(cases(9))]
    chance = chance_of_pairs(blocks, ["a", "b", "c"], seed=3)
    assert list(chance.columns) == list(OF_PAIRS)
    assert len(chance) == 3 * (4 + len(AREAS))
    found = agreement_summary(*tables(blocks), chance)
    assert list(found.columns) == list(COLUMNS) == list(TABLES["agreement_summary"].columns)
    assert not found.duplicated(list(TABLES["agreement_summary"].key)).any()
    answers = found[found["area"].isna()].set_index(["metric", "method_a", "method_b"])
    for metric in ("iou", "iou_matched", "dice", "rank_correlation"):
        assert answers.loc[(metric, "a", "b"), "answer"] == "yes"
        assert answers.loc[(metric, "a", "c"), "answer"] == "cannot_tell"
        assert answers.loc[(metric, "a", "b"), "family_size"] == 3
        assert answers.loc[(metric, "a", "b"), "fewest"] == 5
    row = answers.loc[("iou", "a", "b")]
    assert row["difference"] == pytest.approx(row["mean"] - row["chance"])
    assert row["chance_scattered"] == pytest.approx(0.1) and row["mean"] <= row["attainable"]
    assert answers.loc[("dice", "a", "b"), "chance_scattered"] == pytest.approx(0.2 / 1.1)
    assert answers.loc[("rank_correlation", "a", "b"), "chance_scattered"] == 0
    assert sorted(found["area"].dropna().unique()) == list(AREAS)


def test_a_pair_is_one_whichever_method_comes_first():
    blocks = [list(cases(6))]
    agreement, sweep = tables(blocks)
    turned = sweep.rename(columns={"method_a": "method_b", "method_b": "method_a"})
    half = agreement["image_id"].isin(["image 1", "image 4"])
    mixed = agreement.assign(
        method_a=agreement["method_b"].where(half, agreement["method_a"]),
        method_b=agreement["method_a"].where(half, agreement["method_b"]),
    )
    chance = chance_of_pairs(blocks, ["c", "b", "a"])
    pd.testing.assert_frame_equal(
        agreement_summary(mixed, turned, chance), agreement_summary(agreement, sweep, chance)
    )


def test_few_images_have_a_level_and_no_answer():
    blocks = [list(cases(2))]
    found = agreement_summary(*tables(blocks), chance_of_pairs(blocks, ["a", "b", "c"]))
    assert (found["answer"] == "cannot_tell").all() and found["chance"].notna().all()
    one = [list(cases(1))]
    found = agreement_summary(*tables(one), chance_of_pairs(one, ["a", "b", "c"]))
    assert found["chance"].isna().all() and found["difference"].isna().all() and found["mean"].notna().all()
    assert (found["family_size"] == 0).all()


def test_an_image_whose_map_shows_nothing_is_left_out_of_both_mean_and_chance():
    blocks = [list(cases(7, lost=2))]
    found = agreement_summary(*tables(blocks), chance_of_pairs(blocks, ["a", "b", "c"]))
    found = found[found["area"].isna() & (found["metric"] == "iou")].set_index(["method_a", "method_b"])
    assert found.loc[("a", "b"), ["n", "excluded"]].tolist() == [6, 1]
    assert found.loc[("a", "c"), ["n", "excluded"]].tolist() == [7, 0]
    kept = [[case for case in cases(7) if case.image != 2]]
    again = agreement_summary(*tables(kept), chance_of_pairs(kept, ["a", "b"]))
    assert found.loc[("a", "b"), "chance"] == pytest.approx(again["chance"].iloc[0])


def located(blocks):
    rows = []
    for case in (case for block in blocks for case in block):
        for method, one in case.maps.items():
            truth = case.truths["object"].reshape(SIDE, SIDE)
            rows.append(
                {"image_id": f"image {case.image}", "target_index": 0, "target_name": "x", "truth": "object",
                 "method": method, "is_control": False, "policy": "fixed",
                 **localize(one.values, one.order.mask.reshape(SIDE, SIDE), truth)}
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(LOCALIZED))


def test_a_map_that_is_on_the_truth_is_beyond_chance_and_one_of_another_image_is_not():
    blocks = [list(cases(9))]
    chance = chance_of_truths(blocks, ["a", "b", "c"], seed=1)
    assert list(chance.columns) == list(OF_TRUTHS) and set(chance["metric"]) == set(LOCALIZATION)
    values = localization_values(located(blocks))
    summary = metric_summary(values, chance)
    assert summary["truth"].unique().tolist() == ["object"]
    row = summary[(summary["metric"] == "average_precision") & (summary["method"] == "a")].iloc[0]
    densities = [case.truths["object"].mean() for block in blocks for case in block]
    assert row["chance_scattered"] == pytest.approx(np.mean(densities))
    assert row["mean"] - row["chance"] == pytest.approx(
        chance.set_index(["method", "metric", "truth"]).loc[
            ("a", "average_precision", "object"), "difference"
        ]
    )
    tests = metric_tests(values, chance)
    tests = tests[tests["family"] == "chance"].set_index(["metric", "method_a"])
    assert set(tests["method_b"]) == {OTHER_IMAGES}
    for metric in METRICS_OF:
        assert tests.loc[(metric, "a"), "answer"] == "yes"
        assert tests.loc[(metric, "c"), "answer"] == "cannot_tell"
        assert tests.loc[(metric, "a"), "family_size"] == 3


def test_without_other_images_there_is_no_family_of_chance():
    values = localization_values(located([list(cases(6))]))
    assert set(metric_tests(values)["family"]) == {"methods"}
    assert metric_summary(values)["chance"].isna().all()


def test_a_map_without_a_positive_value_has_no_energy():
    values = -1 - spot(0)
    case = CaseMaps(
        0, {"a": ShownMap(values, OrderedMap.of(values, values > -1.5))}, {"object": (spot(0) > 0.5).ravel()}
    )
    other = [one for one in cases(5) if one.image]
    found = chance_of_truths([[case, *other]], ["a"]).set_index("metric")
    assert found.loc["energy", "n"] == 4 and found.loc["average_precision", "n"] == 5
