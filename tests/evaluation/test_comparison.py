"""Means and tests of a long table: the image is the unit, exclusions are counted, Holm is over a family."""

import numpy as np
import pandas as pd
import pytest

from xai_assets.evaluation.comparison import SUMMARY, TESTS, in_long_form, metric_summary, metric_tests
from xai_assets.evaluation.decision import holm
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.intervals import mean_interval
from xai_assets.evaluation.paired_tests import paired_test
from xai_assets.resources.tables import TABLES


def table(images=8, metric="srg", variant="blur"):
    generator = np.random.default_rng(0)
    rows = []
    for image in range(images):
        hard = generator.normal()
        for method, better in (("lime", 0.5), ("gradcam", 0.4), ("random", 0.0), ("ones", 0.0)):
            for target in range(2 if image == 3 else 1):
                value = hard + better + 0.05 * generator.normal()
                rows.append(
                    {
                        "image_id": f"image {image}", "target_index": target, "method": method,
                        "is_control": better == 0, "metric": metric, "variant": variant, "value": value,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def one(values, method):
    return values[values["method"] == method].groupby("image_id")["value"].mean().to_numpy()


def test_the_columns_are_the_warehouses():
    assert list(SUMMARY) == list(TABLES["metric_summary"].columns)
    assert list(TESTS) == list(TABLES["metric_tests"].columns)


def test_an_image_counts_once_whatever_classes_it_has():
    values = table()
    summary = metric_summary(values)
    assert summary["method"].tolist() == ["lime", "gradcam", "random", "ones"]
    assert summary["n"].tolist() == [8] * 4
    expected = mean_interval(one(values, "gradcam"), bounds=(-1, 1))
    assert summary.loc[1, ["mean", "low", "high"]].tolist() == pytest.approx(
        [expected.mean, expected.low, expected.high]
    )


def test_families_are_corrected_on_their_own():
    values = table()
    tests = metric_tests(values, seed=3)
    pairs = list(zip(tests["family"], tests["method_a"], tests["method_b"], strict=True))
    assert pairs == [
        ("methods", "lime", "gradcam"),
        ("controls", "lime", "random"),
        ("controls", "lime", "ones"),
        ("controls", "gradcam", "random"),
        ("controls", "gradcam", "ones"),
    ]
    found = paired_test(one(values, "lime"), one(values, "gradcam"), seed=3)
    first = tests.iloc[0]
    assert (first["p"], first["p_holm"], first["effect"]) == (found.p, found.p, found.effect)
    controls = tests[tests["family"] == "controls"]
    assert controls["p_holm"].tolist() == holm(controls["p"].tolist())
    assert (controls["p_holm"] < 0.05).all()  # hard images are hard for all: pairing sees the difference
    assert (controls["effect"] == 1).all()


def test_what_could_not_be_measured_is_counted():
    values = table()
    values.loc[(values["method"] == "lime") & (values["image_id"] == "image 2"), "value"] = None
    summary = metric_summary(values).set_index("method")
    assert (summary.loc["lime", "n"], summary.loc["lime", "excluded"]) == (7, 1)
    tests = metric_tests(values)
    assert tests.loc[tests["method_a"] == "lime", "excluded"].tolist() == [1, 1, 1]
    assert tests.loc[tests["method_a"] == "gradcam", "excluded"].tolist() == [0, 0]
    half = table()
    half.loc[
        (half["method"] == "lime") & (half["image_id"] == "image 3") & (half["target_index"] == 1), "value"
    ] = np.nan
    assert metric_summary(half).set_index("method").loc["lime", "n"] == 8  # the other class was measured


def test_metrics_and_variants_are_apart_and_none_is_a_variant():
    values = pd.concat([table(), table(variant="mean"), table(metric="max_sensitivity", variant=None)])
    summary = metric_summary(values)
    assert len(summary) == 12
    assert summary["variant"].tolist()[:8] == ["blur"] * 4 + ["mean"] * 4
    assert summary["variant"].isna().tolist() == [False] * 8 + [True] * 4


def test_the_rows_order_and_the_seed_decide_nothing_but_the_last_digits():
    values = table()
    assert metric_tests(values).equals(metric_tests(values))
    shuffled = values.sample(frac=1, random_state=1)
    again = metric_tests(shuffled).set_index(["method_a", "method_b"])
    first = metric_tests(values).set_index(["method_a", "method_b"])
    assert again.loc[("lime", "random"), "p"] == pytest.approx(first.loc[("lime", "random"), "p"])


def test_columns_become_rows():
    wide = pd.DataFrame(
        {"image_id": ["a"], "target_index": [0], "method": ["lime"], "is_control": [False], "policy": ["fixed"],
         "iou": [0.5], "energy": [None]}
    )  # fmt: skip
    long = in_long_form(wide, {"iou": "policy", "energy": None})
    assert long["metric"].tolist() == ["iou", "energy"] and long["target_index"].tolist() == [0, 0]
    assert long["variant"].tolist()[0] == "fixed" and long["variant"].isna().tolist() == [False, True]
    assert metric_summary(long)["excluded"].tolist() == [0, 1]


def test_empty_tables_and_missing_columns():
    empty = table().iloc[:0]
    assert list(metric_summary(empty).columns) == list(SUMMARY)
    assert list(metric_tests(empty).columns) == list(TESTS)
    with pytest.raises(EvaluationError, match="variant"):
        metric_summary(table().drop(columns="variant"))
