"""The agreement table: every pair once, with chance; maps that cannot be compared are errors."""

import dataclasses

import numpy as np
import pytest

from xai_assets.attribution.binarisation import BinarisationPolicy, binarise
from xai_assets.evaluation.agreement import COLUMNS, SWEEP_COLUMNS, agreement_sweep, agreement_table
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.resources.tables import TABLES

LEFT = np.tile(np.array([1.0, 1.0, 0.0, 0.0]), (4, 1))
TOP = LEFT.T
NUMBERS = [
    "iou",
    "chance_iou",
    "attainable_iou",
    "iou_matched",
    "chance_iou_matched",
    "dice",
    "rank_correlation",
]


def with_mask(found):
    return found, binarise(found.values, BinarisationPolicy())[0]


def test_the_columns_are_the_warehouses():
    assert list(COLUMNS) == list(TABLES["mask_agreement"].columns)


def test_two_half_images_agree_at_their_chance_level(make_map):
    explained = [with_mask(make_map(values, name)) for values, name in ((LEFT, "gradcam"), (TOP, "lime"))]
    (row,) = agreement_table(explained, policy="fixed").to_dict("records")
    assert row["iou"] == row["chance_iou"] == pytest.approx(1 / 3)
    assert row["dice"] == pytest.approx(1 / 2)
    assert row["attainable_iou"] == 1 and row["iou_matched"] == row["chance_iou_matched"] == pytest.approx(
        1 / 3
    )
    assert row["rank_correlation"] == 0
    assert row["density_a"] == row["density_b"] == 0.5
    assert (row["method_a"], row["method_b"], row["policy"]) == ("gradcam", "lime", "fixed")
    assert (row["image_id"], row["target_index"], row["target_name"]) == ("a", 3, "bird")


def test_masks_of_different_sizes_are_matched_at_the_smaller(make_map):
    ramp = np.arange(16.0).reshape(4, 4)
    explained = [(make_map(ramp, "gradcam"), ramp >= 12), (make_map(ramp**3, "lime"), ramp >= 8)]
    (row,) = agreement_table(explained, policy="fixed").to_dict("records")
    assert (row["iou"], row["attainable_iou"]) == (0.5, 0.5)  # as much as these sizes admit
    assert row["iou_matched"] == 1.0  # the same order of pixels


def test_the_sweep_is_over_pairs_and_areas_of_maps_that_say_something(make_map):
    maps = [make_map(v, n) for v, n in ((LEFT, "gradcam"), (LEFT * 0, "lime"), (TOP, "scorecam"))]
    table = agreement_sweep(maps)
    assert list(table.columns) == list(SWEEP_COLUMNS) == list(TABLES["agreement_sweep"].columns)
    assert set(zip(table["method_a"], table["method_b"], strict=True)) == {("gradcam", "scorecam")}
    assert table.loc[table["area"] == 0.5, "iou"].tolist() == [pytest.approx(1 / 3)]
    assert agreement_sweep([]).empty


def test_every_pair_once(make_map):
    names = ["gradcam", "ablationcam", "scorecam", "lime"]
    table = agreement_table([with_mask(make_map(LEFT, name)) for name in names], policy="fixed")
    assert len(table) == 6
    assert len(set(zip(table["method_a"], table["method_b"], strict=True))) == 6
    assert (table["iou"] == 1).all()


def test_a_map_that_says_nothing_agrees_with_none(make_map):
    explained = [
        with_mask(make_map(v, n)) for v, n in ((LEFT, "gradcam"), (LEFT * 0, "lime"), (TOP, "scorecam"))
    ]
    table = agreement_table(explained, policy="fixed")
    blank = (table["method_a"] == "lime") | (table["method_b"] == "lime")
    assert table.loc[blank, NUMBERS].isna().all(axis=None)
    assert table.loc[~blank, NUMBERS].notna().all(axis=None)
    assert table.loc[blank, ["density_a", "density_b"]].notna().all(axis=None)


def test_fewer_than_two_maps_have_no_pairs(make_map):
    for explained in ([], [with_mask(make_map(LEFT))]):
        table = agreement_table(explained, policy="fixed")
        assert len(table) == 0
        assert list(table.columns) == list(COLUMNS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"target": 4}, "different classes"),
        ({"image_id": "b"}, "different images"),
        ({"method": "gradcam"}, "several"),
    ],
)
def test_what_cannot_be_compared_is_an_error(change, said, make_map):
    other = dataclasses.replace(make_map(TOP, "lime"), **change)
    with pytest.raises(EvaluationError, match=said):
        agreement_table([with_mask(make_map(LEFT)), with_mask(other)], policy="fixed")


def test_a_centre_crop_is_not_a_squashed_image(make_map):
    first, other = make_map(LEFT), make_map(TOP, "lime")
    cropped = dataclasses.replace(other.frame, original=(4, 8), box=(0.0, 2.0, 4.0, 6.0), mode="resize_crop")
    with pytest.raises(EvaluationError, match="different frames"):
        agreement_table(
            [with_mask(first), with_mask(dataclasses.replace(other, frame=cropped))], policy="fixed"
        )


def test_a_mask_of_another_shape_is_an_error(make_map):
    with pytest.raises(EvaluationError, match="shapes"):
        agreement_table(
            [with_mask(make_map(LEFT)), (make_map(TOP, "lime"), np.ones((3, 3), dtype=bool))], policy="fixed"
        )
