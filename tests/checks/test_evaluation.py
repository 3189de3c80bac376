"""What the checks of measures let pass, and what they do not."""

import numpy as np
import pandas as pd
import pytest

from xai_assets.checks import evaluation as checks
from xai_assets.checks.check import NOT_ASKED, state

CASES = [("a", 0), ("b", 1)]
MAPS = pd.DataFrame(
    [(*case, method) for case in CASES for method in ("gradcam", "lime", "scorecam")],
    columns=["image_id", "target_index", "method"],
)
PAIRS = [("gradcam", "lime"), ("gradcam", "scorecam"), ("lime", "scorecam")]
AGREEMENT = pd.DataFrame(
    [(*case, *pair) for case in CASES for pair in PAIRS],
    columns=["image_id", "target_index", "method_a", "method_b"],
).assign(
    iou=0.5, chance_iou=0.1, attainable_iou=0.8, iou_matched=0.5, chance_iou_matched=0.1, dice=0.6,
    density_a=0.2, density_b=0.2, rank_correlation=-0.2,
)  # fmt: skip
WITH_CONTROLS = pd.concat(
    [MAPS.assign(is_control=False), MAPS.iloc[::3].assign(method="random", is_control=True)],
    ignore_index=True,
)
CHANCES = dict.fromkeys(["chance_iou", "chance_ap", "chance_pointing", "chance_energy"], 0.1)
LOCALIZATION = WITH_CONTROLS.assign(
    truth="object", iou=0.5, iou_matched=np.nan, pointing=1.0, energy=0.5, **CHANCES,
    average_precision=np.where(WITH_CONTROLS["is_control"], 0.2, 0.6),
)  # fmt: skip
SRG = WITH_CONTROLS.assign(
    metric="srg", variant="blur", value=np.where(WITH_CONTROLS["is_control"], -0.1, 0.4)
)
AUC = WITH_CONTROLS.assign(metric="insertion_auc", variant="blur", value=0.5)
FAITHFULNESS = pd.concat([SRG, AUC], ignore_index=True)
COUNTERFACTUALS = MAPS.assign(
    is_control=False,
    change="part_removed",
    probability=0.9,
    changed_probability=0.3,
    fall=0.6,
    area=0.1,
    energy=0.4,
)

DECIDED = {"answer": "yes", "p": 0.001, "p_holm": 0.01, "family_size": 12, "fewest": 9, "n": 12}
TESTS = pd.DataFrame({"method_a": ["gradcam", "lime", "scorecam"], **DECIDED}).assign(
    method_b="random", metric="srg", variant="blur", family="controls"
)
LOCALIZED = TESTS.assign(metric="average_precision", variant=None, truth="object")
"""The tests of localisation; that the part is missed is not asked."""

LOCALIZED = pd.concat([LOCALIZED, LOCALIZED.assign(truth="part", answer="no")], ignore_index=True)
AGREED = pd.DataFrame(PAIRS, columns=["method_a", "method_b"]).assign(
    metric="iou", area=np.nan, mean=0.5, **DECIDED
)
SUMMARY = pd.DataFrame({"method": ["gradcam", "lime", "scorecam"], **DECIDED}).assign(
    measure="energy_that_counts"
)


def fails(check, *tables):
    found = check.look(*tables)
    assert not found.passed
    return found.said


@pytest.mark.parametrize(
    ("check", "tables"),
    [
        (checks.PAIRS, (AGREEMENT, MAPS)),
        (checks.AGREEMENT_SOUND, (AGREEMENT,)),
        (checks.AGREE, (AGREEMENT, MAPS, AGREED)),
        (checks.LOCALIZATION_SOUND, (LOCALIZATION,)),
        (checks.LOCALIZES, (LOCALIZATION, MAPS, LOCALIZED)),
        (checks.MEASURED, (FAITHFULNESS, MAPS)),
        (checks.METRICS_SOUND, (FAITHFULNESS,)),
        (checks.FAITHFUL, (FAITHFULNESS, MAPS, TESTS)),
        (checks.LOOKED_AT, (FAITHFULNESS, MAPS)),
        (checks.COUNTERFACTUALS_SOUND, (COUNTERFACTUALS,)),
        (checks.ON_WHAT_COUNTS, (COUNTERFACTUALS, MAPS, SUMMARY)),
    ],
)
def test_what_is_as_it_should_be_passes_and_what_is_left_out_is_not_asked(check, tables):
    assert check.look(*tables).passed, check.look(*tables).said
    first, *others = tables
    empty = first.iloc[:0].astype(object)
    assert check.look(empty, *(other.iloc[:0] for other in others)).passed is None


def test_a_pair_that_is_not_compared_is_named():
    said = fails(checks.PAIRS, AGREEMENT.iloc[1:], MAPS)
    assert "1 of 6 pairs are not compared: a 0 gradcam lime." in said
    swapped = AGREEMENT.rename(columns={"method_a": "method_b", "method_b": "method_a"})
    assert checks.PAIRS.look(swapped, MAPS).passed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dice": 1.5}, "dice is 1.5 in 6 rows, outside 0 to 1"),
        ({"rank_correlation": -2.0}, "rank_correlation is -2"),
        ({"density_a": np.inf}, "density_a is inf"),
        ({"iou": 0.9}, "above what their densities allow: 6"),
        ({"method_b": "lime"}, "stand there already: 2, such as a, 0, gradcam, lime"),
    ],
)
def test_an_agreement_that_cannot_be_stops_what_comes_after(change, said):
    assert checks.AGREEMENT_SOUND.blocking
    assert said in fails(checks.AGREEMENT_SOUND, AGREEMENT.assign(**change))


def test_methods_that_overlap_less_than_by_chance_are_named():
    low = AGREED.assign(answer=["yes", "yes", "no"])
    said = fails(checks.AGREE, AGREEMENT, MAPS, low)
    assert said.startswith(
        "Maps of 2 of 3 pairs of methods overlap in their masks more than those of different"
    )
    assert "Those of lime and scorecam do not: they cannot both" in said


def test_an_agreement_that_cannot_be_told_has_neither_passed_nor_failed():
    few = AGREED.assign(answer="cannot_tell", n=3, fewest=5)
    found = checks.AGREE.look(AGREEMENT, MAPS, few)
    assert found.passed is None
    assert "of any pair of methods with 3 images; at least 5 are needed" in found.said
    some = checks.AGREE.look(AGREEMENT, MAPS, AGREED.assign(answer=["yes", "cannot_tell", "yes"]))
    assert some.passed is None and "Of gradcam and scorecam it cannot be told." in some.said


def test_shares_beyond_1_stop_what_comes_after():
    assert checks.LOCALIZATION_SOUND.blocking and checks.COUNTERFACTUALS_SOUND.blocking
    assert "energy is 1.2" in fails(checks.LOCALIZATION_SOUND, LOCALIZATION.assign(energy=1.2))
    assert "area is -0.1" in fails(checks.COUNTERFACTUALS_SOUND, COUNTERFACTUALS.assign(area=-0.1))
    doubled = pd.concat([COUNTERFACTUALS, COUNTERFACTUALS.iloc[:1]])
    assert "stand there already: 1" in fails(checks.COUNTERFACTUALS_SOUND, doubled)


def test_a_method_below_a_random_map_is_named_and_only_the_object_counts():
    worse = LOCALIZED.assign(answer=["yes", "no", "cannot_tell", "no", "no", "no"])
    said = fails(checks.LOCALIZES, LOCALIZATION, MAPS, worse)
    assert "Maps of 1 of 3 methods find the object better" in said
    assert "Those of lime do not" in said and "Of scorecam it cannot be told." in said
    few = LOCALIZED.assign(answer="cannot_tell", n=3, fewest=9)
    assert checks.LOCALIZES.look(LOCALIZATION, MAPS, few).passed is None


def test_a_method_that_the_score_follows_less_than_a_random_map_is_named_and_too_few_images_decide_nothing():
    worse = TESTS.assign(answer=["yes", "no", "cannot_tell"])
    said = fails(checks.FAITHFUL, FAITHFULNESS, MAPS, worse)
    assert "Those of lime do not" in said and "Of scorecam it cannot be told." in said
    assert "Maps of 1 of 3 methods" in said and "12 images, 12 tests corrected by Holm" in said
    few = checks.FAITHFUL.look(
        FAITHFULNESS, MAPS, TESTS.assign(answer="cannot_tell", n=3, fewest=9, p_holm=1.0)
    )
    assert few.passed is None and "with 3 images; at least 9 are needed" in few.said
    result = checks.FAITHFUL.result(
        FAITHFULNESS, MAPS, TESTS.assign(answer=["yes", "yes", "cannot_tell"]), asked=True
    )
    assert state(result) == NOT_ASKED and result.description.startswith("Cannot be told of every method.")


def test_a_map_stands_once_a_truth():
    part = LOCALIZATION.assign(truth="part", average_precision=0.0)
    assert checks.LOCALIZATION_SOUND.look(pd.concat([LOCALIZATION, part])).passed
    assert not checks.LOCALIZATION_SOUND.look(pd.concat([LOCALIZATION, LOCALIZATION])).passed


def test_a_metric_has_the_range_of_its_record():
    assert checks.METRICS_SOUND.blocking
    bad = FAITHFULNESS.assign(value=FAITHFULNESS["value"].where(FAITHFULNESS["metric"] == "srg", 1.2))
    assert "insertion_auc: value is 1.2 in 8 rows, outside 0 to 1" in fails(checks.METRICS_SOUND, bad)
    assert (
        checks.METRICS_SOUND.look(FAITHFULNESS.assign(metric="max_sensitivity", variant=range(16))).passed
        is False
    )
    assert checks.METRICS_SOUND.look(AUC.assign(metric="max_sensitivity", value=7.0)).passed


def test_a_map_that_is_not_measured_is_named():
    left = FAITHFULNESS[(FAITHFULNESS["method"] != "lime") | (FAITHFULNESS["image_id"] != "b")]
    assert "1 of 6 maps are not measured: lime b 1." in fails(checks.MEASURED, left, MAPS)
    assert "1 of 6 maps are not measured: lime b 1." in fails(checks.LOOKED_AT, left, MAPS)


def test_cases_that_are_not_looked_at_are_not_missed():
    one = FAITHFULNESS[FAITHFULNESS["image_id"] == "a"]
    assert checks.LOOKED_AT.look(one, MAPS).passed
    assert not checks.MEASURED.look(one, MAPS).passed


def test_a_method_whose_maps_outlive_the_model_is_named():
    vetoes = pd.DataFrame(
        {
            "method": ["gradcam", "lime", "edges"],
            "is_control": [False, False, True],
            "vetoed": [False, None, True],
        }
    )
    assert checks.FOLLOWS.look(MAPS, MAPS, vetoes).passed
    said = fails(checks.FOLLOWS, MAPS, MAPS, vetoes.assign(vetoed=[True, None, True]))
    assert (
        "Maps of 0 of 1 methods go" in said
        and "Cannot be told of lime:" in said
        and "Those of gradcam stay" in said
    )
    assert checks.FOLLOWS.look(MAPS, MAPS, vetoes.iloc[:0]).passed is None
    dead = checks.FOLLOWS.look(MAPS, MAPS, vetoes.assign(vetoed=None))
    assert dead.passed is None and dead.said.startswith("Cannot be told whether maps go with the model")


def test_a_method_that_misses_what_the_answer_hangs_on_is_named():
    low = SUMMARY.assign(answer=["yes", "no", "yes"])
    assert "Those of lime do not" in fails(checks.ON_WHAT_COUNTS, COUNTERFACTUALS, MAPS, low)
    nothing = SUMMARY.assign(measure="energy")  # nothing hangs on these changes
    assert checks.ON_WHAT_COUNTS.look(COUNTERFACTUALS, MAPS, nothing).passed is None
