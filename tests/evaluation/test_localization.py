"""The localisation table: oracle, method, controls, and what is excluded."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from xai_assets.attribution.binarisation import BinarisationPolicy, binarise
from xai_assets.evaluation.controls import CONTROLS
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.localization import (
    COLUMNS,
    MEASURES,
    TRUTHS,
    localization_table,
    localize,
    of_object,
)
from xai_assets.evaluation.metrics import METRICS
from xai_assets.evaluation.overlap import expected_iou
from xai_assets.resources.tables import TABLES

SIZE = 40
ALL_CONTROLS = [*CONTROLS, "ones", "oracle"]
MEASURED = ["iou", "iou_matched", "average_precision", "pointing", "energy"]
POLICY = BinarisationPolicy()


@pytest.fixture
def truth():
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    mask[3:12, 25:36] = True  # away from the middle
    return mask


@pytest.fixture
def view(truth):
    generator = np.random.default_rng(0)
    picture = generator.integers(90, 120, size=(SIZE, SIZE, 3), dtype=np.uint8)
    picture[25:, :20] = generator.integers(0, 255, size=(15, 20, 3), dtype=np.uint8)  # edges elsewhere
    picture[truth] = (200, 40, 40)
    return picture


def with_mask(found, policy=POLICY, reference=None):
    return found, binarise(found.values, policy, reference=reference)[0]


def test_the_columns_are_the_warehouses():
    assert list(COLUMNS) == list(TABLES["localization"].columns)
    described = {metric.key for metric in METRICS.values()} | {m.chance_key for m in METRICS.values()}
    assert set(MEASURES) <= described


def test_an_oracle_beats_every_control(make_map, truth, view):
    table = localization_table([with_mask(make_map(truth))], {"object": truth}, view=view, policy=POLICY)
    assert list(table.columns) == list(COLUMNS)
    assert list(table["method"]) == ["gradcam", *ALL_CONTROLS]
    assert list(table["is_control"]) == [False, *[True] * 5]
    measures = table.set_index("method")[["iou", "iou_matched", "average_precision", "pointing", "energy"]]
    assert (measures.loc["gradcam"] == 1).all()
    assert (measures.loc[list(CONTROLS)] < 0.5).all(axis=None)
    density = truth.mean()
    assert table["chance_ap"].tolist() == table["chance_energy"].tolist() == [density] * 6
    assert table["chance_iou"][0] == pytest.approx(expected_iou(density, density))


def test_all_ones_has_the_level_of_chance_in_every_measure_and_the_oracle_one(make_map, truth, view):
    table = localization_table([with_mask(make_map(truth))], {"object": truth}, view=view, policy=POLICY)
    found = table.set_index("method")
    density = truth.mean()
    ones = found.loc["ones"]
    for measure in ("iou", "chance_iou", "average_precision", "pointing", "energy"):
        assert ones[measure] == pytest.approx(density), measure
    assert ones["iou_matched"] == pytest.approx(density / (2 - density))
    assert (found.loc["oracle", MEASURED] == 1).all()


def test_all_ones_is_what_maps_that_know_nothing_come_to(truth):
    generator = np.random.default_rng(5)
    drawn = [generator.random(truth.shape) for _ in range(4000)]
    whole = np.ones(truth.shape, dtype=bool)
    found = pd.DataFrame([localize(values, whole, truth) for values in drawn])[MEASURED].astype(float)
    density = truth.mean()
    expected = dict.fromkeys(MEASURED, density) | {"iou_matched": density / (2 - density)}
    for measure, chance in expected.items():
        # Average precision of few positives lies a little above their density; the others are unbiased.
        slack = 0.004 if measure == "average_precision" else 4 * found[measure].std() / np.sqrt(len(found))
        assert found[measure].mean() == pytest.approx(chance, abs=slack + 1e-3), measure


def test_truths_that_lie_in_one_another_have_a_row_each_and_their_own_chance(make_map, truth, view):
    part, every = np.zeros_like(truth), truth.copy()
    part[3:6, 25:36], every[20:30, 5:15] = True, True
    truths = {"part": part, "object": truth, "all_objects": every}
    policy = BinarisationPolicy(policy="same_area")
    explained = [with_mask(make_map(part + 0.0), policy, truth)]
    table = localization_table(explained, truths, view=view, policy=policy)
    assert table["truth"].unique().tolist() == list(TRUTHS) == list(truths)
    assert (table.groupby("truth")["method"].nunique() == 6).all()
    assert of_object(table)["truth"].unique().tolist() == ["object"]
    mine = table[table["method"] == "gradcam"].set_index("truth")
    assert mine["chance_ap"].to_dict() == {name: mask.mean() for name, mask in truths.items()}
    assert mine["average_precision"]["part"] == 1 > mine["average_precision"]["object"]
    assert mine["average_precision"]["object"] > mine["average_precision"]["all_objects"]
    assert (table.loc[table["method"] == "oracle", MEASURED] == 1).all(axis=None)
    alone = localization_table(explained, {"object": truth}, view=view, policy=policy)
    assert of_object(table).reset_index(drop=True).equals(alone)  # the other truths change nothing of it


def test_a_part_of_which_nothing_is_seen_has_no_values_and_no_oracle(make_map, truth, view):
    table = localization_table(
        [with_mask(make_map(truth))], {"part": truth & False, "object": truth}, view=view, policy=POLICY
    )
    hidden = table[table["truth"] == "part"]
    assert list(hidden["method"]) == ["gradcam", *CONTROLS, "ones"]
    assert hidden[list(MEASURES)].isna().all(axis=None)
    assert len(of_object(table)) == 6


def test_without_the_object_there_is_nothing_to_measure_against(make_map, truth, view):
    with pytest.raises(EvaluationError, match="lack object"):
        localization_table([with_mask(make_map(truth))], {"part": truth}, view=view, policy=POLICY)


def test_a_table_of_before_there_were_several_truths_is_about_the_object():
    older = pd.DataFrame({"method": ["gradcam"], "average_precision": [0.5]})
    assert of_object(older).equals(older)


def test_same_policy_for_methods_and_controls(make_map, truth, view):
    policy = BinarisationPolicy(policy="same_area")
    explained = [with_mask(make_map(truth + 0.0), policy, truth)]
    table = localization_table(explained, {"object": truth}, view=view, policy=policy)
    chance = expected_iou(truth.mean(), truth.mean())
    cut = table[table["method"] != "ones"]  # whose mask is the frame
    assert cut["chance_iou"].tolist() == pytest.approx([chance] * 5)
    assert (table["policy"] == "same_area").all()


@pytest.mark.parametrize("values", [0.0, np.nan, np.inf])
def test_a_map_that_says_nothing_is_none_not_zero(make_map, truth, view, values):
    found = make_map(np.full((SIZE, SIZE), values))
    table = localization_table([with_mask(found)], {"object": truth}, view=view, policy=POLICY)
    assert table.loc[0, list(MEASURES)].isna().all()
    assert table.loc[1:, list(MEASURES)].notna().all(axis=None)


def test_an_empty_truth_is_none_for_all(make_map, truth, view):
    table = localization_table(
        [with_mask(make_map(truth))], {"object": truth & False}, view=view, policy=POLICY
    )
    assert table[list(MEASURES)].isna().all(axis=None)


def test_the_same_seed_gives_the_same_table_and_another_another(make_map, truth, view):
    tables = [
        localization_table(
            [with_mask(make_map(truth))], {"object": truth}, view=view, policy=POLICY, seed=seed
        )
        for seed in (1, 1, 2)
    ]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])
    assert tables[0][:3].equals(tables[2][:3])  # only the random control differs


def test_no_maps_no_rows(truth, view):
    table = localization_table([], {"object": truth}, view=view, policy=POLICY)
    assert len(table) == 0
    assert list(table.columns) == list(COLUMNS)


def test_another_frame_class_or_image_is_an_error(make_map, truth, view):
    first = make_map(truth)
    frame = dataclasses.replace(first.frame, box=(0.0, 0.0, 20.0, 20.0))
    for change, said in (
        ({"frame": frame}, "different frames"),
        ({"target": 4, "target_name": "fish"}, "different classes"),
        ({"image_id": "b"}, "different images"),
        ({"method": "gradcam"}, "several maps"),
    ):
        other = dataclasses.replace(make_map(truth, "lime"), **change)
        with pytest.raises(EvaluationError, match=said):
            localization_table(
                [with_mask(first), with_mask(other)], {"object": truth}, view=view, policy=POLICY
            )


def test_another_shape_is_an_error(make_map, truth, view):
    found = with_mask(make_map(truth))
    with pytest.raises(EvaluationError, match="shapes"):
        localization_table([found], {"object": truth[:20]}, view=view, policy=POLICY)
    with pytest.raises(EvaluationError, match="shapes"):
        localization_table([found], {"object": truth}, view=view[:20], policy=POLICY)
    with pytest.raises(EvaluationError, match="shapes"):
        localize(truth.astype(np.float32), truth[:20], truth)
