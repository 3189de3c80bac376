"""Two runs' masks and measures: what is the same, what is gone, and how far the rest is apart."""

import numpy as np
import pandas as pd
import pytest

from xai_assets.evaluation.drift import mask_drift, measure_drift
from xai_assets.evaluation.intervals import NONE_EQUAL


def mask(*columns):
    found = np.zeros((4, 4), bool)
    found[:, list(columns)] = True
    return found


def test_the_same_masks_do_not_drift():
    masks = {(f"{i}.png", 0, "lime"): mask(i % 4) for i in range(5)} | {("e.png", 0, "lime"): mask()}
    (row,) = mask_drift(masks, {case: of.copy() for case, of in masks.items()})
    assert row == {
        "subject": "lime", "compared": 6, "same": 6, "appeared": 0, "gone": 0, "value": 1.0, "low": None, "high": None,
        "interval": NONE_EQUAL, "n": 6,
    }  # fmt: skip


def test_iou_is_of_the_same_case_and_the_rest_is_counted():
    before = {("a", 0, "lime"): mask(0, 1), ("b", 0, "lime"): mask(0), ("c", 0, "lime"): mask(1)}
    after = {("a", 0, "lime"): mask(1, 2), ("b", 0, "lime"): mask(0), ("b", 1, "lime"): mask(3)}
    (row,) = mask_drift(before, after)
    assert (row["compared"], row["same"], row["appeared"], row["gone"]) == (2, 1, 1, 1)
    assert row["value"] == pytest.approx((1 / 3 + 1) / 2)
    assert row["low"] is None  # of two images


def test_each_method_has_a_row_and_masks_of_another_size_are_not_compared():
    before = {("a", 0, "gradcam"): mask(0), ("a", 0, "lime"): mask(0)}
    after = {("a", 0, "gradcam"): np.ones((5, 5), bool), ("a", 0, "scorecam"): mask(0)}
    rows = {row["subject"]: row for row in mask_drift(before, after)}
    assert list(rows) == ["gradcam", "lime", "scorecam"]
    assert rows["gradcam"]["compared"] == 0 and rows["gradcam"]["value"] is None
    assert [(rows[m]["appeared"], rows[m]["gone"]) for m in rows] == [(1, 1), (0, 1), (1, 0)]


def test_a_measures_change_is_paired_and_signed():
    before = pd.DataFrame(
        {"image_id": list("abcd"), "target_index": 0, "method": "lime", "iou": [0.1, 0.2, 0.3, None]}
    )
    after = before.assign(iou=[0.2, 0.3, 0.4, 0.5]).iloc[::-1]
    (row,) = measure_drift(before, after, ["iou"])
    assert row["compared"] == 3 and row["same"] == 0
    assert row["value"] == pytest.approx(0.1)
    (still,) = measure_drift(before, before.iloc[:2], ["iou"])
    assert (still["value"], still["same"], still["gone"]) == (0.0, 2, 2)


def two_runs(images, methods=("lime", "gradcam")):
    """Of one method each measure moves alike on all images; of the other by noise."""
    noise = np.random.default_rng(0)
    rows = [
        (f"{i}.png", index, method, 0.5 + (0.1 if method == "lime" else 0), noise.normal())
        for i in range(images)
        for index in (0, 1)
        for method in methods
    ]
    after = pd.DataFrame(rows, columns=["image_id", "target_index", "method", "iou", "average_precision"])
    before = after.assign(iou=0.5 + 1e-9, average_precision=noise.normal(size=len(after)))
    return before, after


def test_a_measure_drifted_where_the_rule_decides_over_all_methods_and_measures():
    rows = measure_drift(*two_runs(9), ["iou", "average_precision"])
    assert [(row["measure"], row["subject"]) for row in rows] == [
        ("iou", "lime"), ("iou", "gradcam"), ("average_precision", "lime"), ("average_precision", "gradcam"),
    ]  # fmt: skip
    assert [row["answer"] for row in rows] == ["yes", "cannot_tell", "cannot_tell", "cannot_tell"]
    first = rows[0]
    assert (first["n"], first["compared"], first["family_size"], first["fewest"]) == (9, 18, 4, 8)
    assert first["p"] == pytest.approx(2 / 2**9) and first["p_holm"] == pytest.approx(4 * 2 / 2**9)


def test_an_image_with_two_classes_is_one_and_few_images_decide_nothing():
    rows = measure_drift(*two_runs(4), ["iou"])  # 8 cases would do
    assert {row["answer"] for row in rows} == {"cannot_tell"} and rows[0]["n"] == 4 < rows[0]["fewest"]
