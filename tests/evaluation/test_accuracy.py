"""Accuracy over images: an image counts once, one without a label not at all, and the interval is the exact one."""

import pandas as pd
import pytest
from scipy import stats

from xai_assets.evaluation.accuracy import COLUMNS, SURE, is_sure, prediction_summary
from xai_assets.resources.tables import TABLES

DOMAIN = {"domain": "3 of 4 images are far", "in_domain": False}


def predictions(*correct, classes=1):
    return pd.DataFrame(
        [
            {"image_id": f"{at}.png", "target_index": target, "model": "m", "label": None, "correct": right}
            | {"sure": at % 3 > 0}
            | DOMAIN
            for at, right in enumerate(correct)
            for target in range(classes)
        ],
        columns=["image_id", "target_index", "model", "label", "sure", "correct", *DOMAIN],
    ).astype({"correct": "boolean"})


def test_its_columns_are_the_warehouses():
    assert list(COLUMNS) == list(TABLES["prediction_summary"].columns)


@pytest.mark.parametrize("classes", [1, 3])
def test_ten_of_twelve(classes):
    (row,) = prediction_summary(predictions(*[True] * 10, False, False, None, classes=classes)).to_dict(
        "records"
    )
    theirs = stats.binomtest(10, 12).proportion_ci(0.95, method="exact")
    assert (row["images"], row["labelled"], row["correct"], row["n"], row["excluded"]) == (13, 12, 10, 12, 1)
    assert row["accuracy"] == pytest.approx(10 / 12)
    assert (row["unsure"], row["sure_above"]) == (5, SURE)
    assert (row["domain"], row["in_domain"]) == ("3 of 4 images are far", False)
    assert (row["low"], row["high"]) == (pytest.approx(theirs.low), pytest.approx(theirs.high))


def test_all_right_is_no_certainty():
    (row,) = prediction_summary(predictions(*[True] * 10)).to_dict("records")
    assert (row["accuracy"], row["high"]) == (1, 1) and row["low"] == pytest.approx(0.69, abs=0.01)


def test_without_labels_nothing_is_known():
    (row,) = prediction_summary(predictions(None, None)).to_dict("records")
    assert (row["accuracy"], row["low"], row["labelled"]) == (None, None, 0)
    assert prediction_summary(predictions()).empty


def test_a_label_that_the_model_has_not_is_neither_right_nor_wrong():
    table = predictions(True, False, None, None).assign(label=["dog", "cat", "zebra", None])
    (row,) = prediction_summary(table).to_dict("records")
    assert (row["images"], row["labelled"], row["unknown"], row["correct"]) == (4, 2, 1, 1)
    assert (row["n"], row["excluded"], row["accuracy"]) == (2, 2, 0.5)


def test_an_answer_is_sure_where_its_class_has_more_than_all_others_together():
    assert [is_sure(p) for p in (0.49, 0.5, 0.51, 1.0)] == [False, False, True, True]
