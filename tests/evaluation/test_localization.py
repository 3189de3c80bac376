"""The localisation table: oracle, method, controls, and what is excluded."""

import dataclasses

import numpy as np
import pytest

from xai_assets.attribution.binarisation import BinarisationPolicy, binarise
from xai_assets.evaluation.controls import CONTROLS
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.localization import COLUMNS, MEASURES, localization_table, localize
from xai_assets.evaluation.metrics import METRICS
from xai_assets.evaluation.overlap import expected_iou
from xai_assets.resources.tables import TABLES

SIZE = 40
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
    table = localization_table([with_mask(make_map(truth))], truth, view=view, policy=POLICY)
    assert list(table.columns) == list(COLUMNS)
    assert list(table["method"]) == ["gradcam", *CONTROLS]
    assert list(table["is_control"]) == [False, True, True, True]
    measures = table.set_index("method")[["iou", "iou_matched", "average_precision", "pointing", "energy"]]
    assert (measures.loc["gradcam"] == 1).all()
    assert (measures.loc[list(CONTROLS)] < 0.5).all(axis=None)
    density = truth.mean()
    assert table["chance_ap"].tolist() == table["chance_energy"].tolist() == [density] * 4
    assert table["chance_iou"][0] == pytest.approx(expected_iou(density, density))


def test_same_policy_for_methods_and_controls(make_map, truth, view):
    policy = BinarisationPolicy(policy="same_area")
    explained = [with_mask(make_map(truth + 0.0), policy, truth)]
    table = localization_table(explained, truth, view=view, policy=policy)
    chance = expected_iou(truth.mean(), truth.mean())
    assert table["chance_iou"].tolist() == pytest.approx([chance] * 4)
    assert (table["policy"] == "same_area").all()


@pytest.mark.parametrize("values", [0.0, np.nan, np.inf])
def test_a_map_that_says_nothing_is_none_not_zero(make_map, truth, view, values):
    found = make_map(np.full((SIZE, SIZE), values))
    table = localization_table([with_mask(found)], truth, view=view, policy=POLICY)
    assert table.loc[0, list(MEASURES)].isna().all()
    assert table.loc[1:, list(MEASURES)].notna().all(axis=None)


def test_an_empty_truth_is_none_for_all(make_map, truth, view):
    table = localization_table([with_mask(make_map(truth))], truth & False, view=view, policy=POLICY)
    assert table[list(MEASURES)].isna().all(axis=None)


def test_the_same_seed_gives_the_same_table_and_another_another(make_map, truth, view):
    tables = [
        localization_table([with_mask(make_map(truth))], truth, view=view, policy=POLICY, seed=seed)
        for seed in (1, 1, 2)
    ]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])
    assert tables[0][:3].equals(tables[2][:3])  # only the random control differs


def test_no_maps_no_rows(truth, view):
    table = localization_table([], truth, view=view, policy=POLICY)
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
            localization_table([with_mask(first), with_mask(other)], truth, view=view, policy=POLICY)


def test_another_shape_is_an_error(make_map, truth, view):
    found = with_mask(make_map(truth))
    with pytest.raises(EvaluationError, match="shapes"):
        localization_table([found], truth[:20], view=view, policy=POLICY)
    with pytest.raises(EvaluationError, match="shapes"):
        localization_table([found], truth, view=view[:20], policy=POLICY)
    with pytest.raises(EvaluationError, match="shapes"):
        localize(truth.astype(np.float32), truth[:20], truth)
