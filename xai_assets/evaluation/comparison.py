"""What the values of many images come to: means with intervals, and methods compared in pairs.

An image is the unit. Of an image with several target classes the values are averaged first, for they share the
picture and are no independent observations.
"""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.evaluation.controls import ORACLE
from xai_assets.evaluation.decision import decide
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.intervals import Interval, mean_interval, share_interval
from xai_assets.evaluation.metrics import METRICS
from xai_assets.evaluation.paired_tests import paired_test

LONG = ("image_id", "method", "is_control", "metric", "variant", "value")
"""The columns that are read: one row a value, NULL where it could not be measured."""

TRUTH = "truth"
"""A further column of metrics that are about a truth: which one."""

SCATTERED = "scattered"
"""A further column: what pixels that are scattered over the frame would give in place of the value."""

OTHER_IMAGES = "other_images"
"""What a method is compared with where its own maps of other images are."""

INTERVAL = ("low", "high", "interval", "n", "excluded")
"""What stands beside a mean: ends of its interval, how that was made, images, and images without a value."""

SUMMARY = (
    "metric", "variant", "truth", "method", "is_control", "mean", *INTERVAL, "chance", "chance_scattered",
    "attainable",
)  # fmt: skip

DECIDED = ("p", "p_holm", "family_size", "fewest", "answer")
"""What stands beside a difference that is tested: see `evaluation.decision`."""

TESTS = (
    "metric", "variant", "truth", "family", "method_a", "method_b", "difference", *INTERVAL, *DECIDED,
    "effect", "standardised",
)  # fmt: skip


def metric_summary(values: pd.DataFrame, chance: pd.DataFrame | None = None) -> pd.DataFrame:
    """The mean of each metric, variant, truth and method over images, with the interval of its kind, n and exclusions.

    Args:
        values: LONG, TRUTH and SCATTERED where there are any, and any other columns; metrics of `METRICS`.
        chance: of metrics that are about a truth: `chance.OF_TRUTHS`.

    Raises:
        EvaluationError: columns that are missing.
    """
    known = _by_question(chance)
    rows: list[dict[str, Any]] = []
    for (metric, variant, truth), group in _questions(values):
        wide, controls = in_wide_form(group)
        scattered = _scattered(group)
        for method in wide.columns:
            found = interval_of(metric, wide[method].to_numpy())
            of_others = known.get((metric, truth, method), {})
            rows.append(
                {
                    "metric": metric,
                    "variant": variant,
                    "truth": truth,
                    "method": method,
                    "is_control": method in controls,
                    "mean": found.mean,
                    **interval_columns(found),
                    "chance": of_others.get("chance"),
                    "chance_scattered": scattered.get(method),
                    "attainable": of_others.get("attainable"),
                }
            )
    return pd.DataFrame(rows, columns=list(SUMMARY))


def interval_of(metric: str, values: np.ndarray) -> Interval:
    """The mean of a metric's values, one an image, with the interval of the metric's kind, within its range."""
    declared = METRICS[metric]
    return (
        share_interval(values) if declared.kind == "share" else mean_interval(values, bounds=declared.bounds)
    )


def metric_tests(values: pd.DataFrame, chance: pd.DataFrame | None = None, *, seed: int = 0) -> pd.DataFrame:
    """Every pair of methods, every method against every control, on the same images, and against other images.

    The tests of one metric, variant, truth and family are decided together (`decision.decide`): `methods`, `controls`,
    `oracle`, which knows the truth and is no control, and `chance`: every method against what its own maps of other
    images give (OTHER_IMAGES).

    Args:
        values: LONG, TRUTH where there is any, and any other columns; metrics of `METRICS`.
        chance: of metrics that are about a truth: `chance.OF_TRUTHS`.
        seed: of drawn sign patterns.

    Raises:
        EvaluationError: columns that are missing.
    """
    known = _by_question(chance)
    rows: list[dict[str, Any]] = []
    for (metric, variant, truth), group in _questions(values):
        wide, controls = in_wide_form(group)
        question = {"metric": metric, "variant": variant, "truth": truth}
        methods = [method for method in wide.columns if method not in controls]
        families = {
            "methods": list(combinations(methods, 2)),
            "controls": [(a, b) for a in methods for b in wide.columns if b in controls and b != ORACLE],
            "oracle": [(a, ORACLE) for a in methods if ORACLE in wide.columns],
        }
        bounds = METRICS[metric].difference_bounds
        for family, pairs in families.items():
            tests = [
                paired_test(wide[a].to_numpy(), wide[b].to_numpy(), seed=seed, bounds=bounds)
                for a, b in pairs
            ]
            decisions = decide([test.difference.mean for test in tests], [test.p for test in tests])
            for (a, b), test, decided in zip(pairs, tests, decisions, strict=True):
                rows.append(
                    {
                        **question,
                        "family": family,
                        "method_a": a,
                        "method_b": b,
                        "difference": test.difference.mean,
                        **interval_columns(test.difference),
                        **asdict(decided),
                        "effect": test.effect,
                        "standardised": test.standardised,
                    }
                )
        rows += _against_others(question, {m: known.get((metric, truth, m), {}) for m in methods})
    return pd.DataFrame(rows, columns=list(TESTS))


def _against_others(question: dict[str, Any], found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of the family `chance`: of the methods of which anything is known."""
    asked = {method: row for method, row in found.items() if row}
    decisions = decide(
        [row["difference"] for row in asked.values()], [row["p"] for row in asked.values()], repaired=True
    )
    return [
        {
            **question,
            "family": "chance",
            "method_a": method,
            "method_b": OTHER_IMAGES,
            "difference": row["difference"],
            **{name: row[name] for name in INTERVAL},
            **asdict(decided),
        }
        for (method, row), decided in zip(asked.items(), decisions, strict=True)
    ]


def _by_question(chance: pd.DataFrame | None) -> dict[tuple[str, str | None, str], dict[str, Any]]:
    if chance is None:
        return {}
    plain = chance.astype(object).where(chance.notna(), None)
    return {(row["metric"], row["truth"], row["method"]): row for row in plain.to_dict("records")}


CURVE = ("baseline", "pixel_order", "fraction")
"""What a point of a mean curve is, beside its method."""

CURVE_MEANS = ("method", "is_control", *CURVE, "mean", *INTERVAL)


def curve_means(curves: pd.DataFrame) -> pd.DataFrame:
    """The mean over images of every point of the perturbation curves; an image's classes are averaged first.

    Args:
        curves: image_id, method, is_control, CURVE and `score` in 0..1.

    Returns:
        CURVE_MEANS, in the order given.
    """
    point = ["method", "is_control", *CURVE]
    if not len(curves):
        return pd.DataFrame(columns=list(CURVE_MEANS))
    by_image = curves.groupby([*point, "image_id"], sort=False)["score"].mean()
    rows = []
    for key, values in by_image.groupby(level=point, sort=False):
        found = mean_interval(values, bounds=(0.0, 1.0))
        rows.append((*key, found.mean, *interval_columns(found).values()))
    return pd.DataFrame(rows, columns=list(CURVE_MEANS))


def in_long_form(table: pd.DataFrame, metrics: dict[str, str | None]) -> pd.DataFrame:
    """A table with one column a metric as LONG, with the class.

    Args:
        table: `image_id`, `target_index`, `method`, `is_control` and the metrics' columns.
        metrics: the metrics, and for each the column that says its variant, if any.
    """
    parts = []
    for metric, variant in metrics.items():
        part = table[["image_id", "target_index", "method", "is_control"]].copy()
        part["metric"] = metric
        part["variant"] = table[variant] if variant else None
        part["value"] = table[metric].astype("float64")
        parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(LONG))


def _questions(
    values: pd.DataFrame,
) -> Iterator[tuple[tuple[str, str | None, str | None], pd.DataFrame]]:
    """The values of each metric, variant and truth."""
    missing = sorted(set(LONG) - set(values.columns))
    if missing:
        raise EvaluationError(
            "a table of values", f"lacks the columns {', '.join(missing)}", f"It needs {', '.join(LONG)}."
        )
    if not len(values):
        return
    given = values[[*LONG, *(name for name in (TRUTH, SCATTERED) if name in values)]].copy()
    given["value"] = given["value"].astype("float64")
    if TRUTH not in given:
        given[TRUTH] = None
    for key, group in given.groupby(["metric", "variant", TRUTH], sort=False, dropna=False):
        metric, variant, truth = (None if pd.isna(part) else str(part) for part in key)
        yield (str(metric), variant, truth), group


def _scattered(values: pd.DataFrame) -> dict[str, float]:
    """By method, the mean over images of SCATTERED, where the value could be measured."""
    if SCATTERED not in values:
        return {}
    measured = values[values["value"].notna() & values[SCATTERED].notna()]
    of_images = measured.groupby(["method", "image_id"])[SCATTERED].mean()
    return {str(method): float(mean) for method, mean in of_images.groupby("method").mean().items()}


def in_wide_form(values: pd.DataFrame) -> tuple[pd.DataFrame, set[str]]:
    """One metric's LONG as one row an image and one column a method, NaN where nothing was measured; and the controls."""
    averaged = values.groupby(["image_id", "method"], sort=False)["value"].mean()
    wide = averaged.unstack("method")
    # Images and methods in the order given, whatever pandas makes of them.
    wide = wide.loc[values["image_id"].unique(), values["method"].unique()].replace([np.inf, -np.inf], np.nan)
    return wide, set(values.loc[values["is_control"].astype(bool), "method"])


def interval_columns(found: Interval) -> dict[str, float | int | str | None]:
    """An interval as the columns INTERVAL."""
    return {
        "low": found.low,
        "high": found.high,
        "interval": found.method,
        "n": found.n,
        "excluded": found.excluded,
    }
