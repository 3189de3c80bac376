"""What the values of many images come to: means with intervals, and methods compared in pairs.

An image is the unit. Of an image with several explained classes the values are averaged first, for they share the
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

INTERVAL = ("low", "high", "interval", "n", "excluded")
"""What stands beside a mean: ends of its interval, how that was made, images, and images without a value."""

SUMMARY = ("metric", "variant", "method", "is_control", "mean", *INTERVAL)

DECIDED = ("p", "p_holm", "family_size", "fewest", "answer")
"""What stands beside a difference that is tested: see `evaluation.decision`."""

TESTS = (
    "metric", "variant", "family", "method_a", "method_b", "difference", *INTERVAL, *DECIDED,
    "effect", "standardised",
)  # fmt: skip


def metric_summary(values: pd.DataFrame) -> pd.DataFrame:
    """The mean of each metric, variant and method over images, with the interval of its kind, n and exclusions.

    Args:
        values: LONG, and any other columns; metrics of `METRICS`.

    Raises:
        EvaluationError: columns that are missing.
    """
    rows: list[dict[str, Any]] = []
    for (metric, variant), wide, controls in _by_image(values):
        for method in wide.columns:
            found = interval_of(metric, wide[method].to_numpy())
            rows.append(
                {
                    "metric": metric,
                    "variant": variant,
                    "method": method,
                    "is_control": method in controls,
                    "mean": found.mean,
                    **interval_columns(found),
                }
            )
    return pd.DataFrame(rows, columns=list(SUMMARY))


def interval_of(metric: str, values: np.ndarray) -> Interval:
    """The mean of a metric's values, one an image, with the interval of the metric's kind, within its range."""
    declared = METRICS[metric]
    return (
        share_interval(values) if declared.kind == "share" else mean_interval(values, bounds=declared.bounds)
    )


def metric_tests(values: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Every pair of methods, and every method against every control, on the same images (`paired_test`).

    The tests of one metric, variant and family are decided together (`decision.decide`): `methods`, `controls`, and
    `oracle`, which knows the truth and is no control.

    Args:
        values: LONG, and any other columns; metrics of `METRICS`.
        seed: of drawn sign patterns.

    Raises:
        EvaluationError: columns that are missing.
    """
    rows: list[dict[str, Any]] = []
    for (metric, variant), wide, controls in _by_image(values):
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
                        "metric": metric,
                        "variant": variant,
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
    return pd.DataFrame(rows, columns=list(TESTS))


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


def _by_image(
    values: pd.DataFrame,
) -> Iterator[tuple[tuple[str, str | None], pd.DataFrame, set[str]]]:
    """Of each metric and variant: one row an image and one column a method, and which of these are controls."""
    missing = sorted(set(LONG) - set(values.columns))
    if missing:
        raise EvaluationError(
            "a table of values", f"lacks the columns {', '.join(missing)}", f"It needs {', '.join(LONG)}."
        )
    if not len(values):
        return
    given = values[list(LONG)].copy()
    given["value"] = given["value"].astype("float64")
    for key, group in given.groupby(["metric", "variant"], sort=False, dropna=False):
        metric, variant = key
        yield (str(metric), None if pd.isna(variant) else str(variant)), *in_wide_form(group)


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
