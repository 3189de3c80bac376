"""What the values of many images come to: means with intervals, and methods compared in pairs.

An image is the unit. Of an image with several explained classes the values are averaged first, for they share the
picture and are no independent observations.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.paired_tests import holm, paired_test
from xai_assets.evaluation.statistics import Interval, bootstrap_mean

LONG = ("image_id", "method", "is_control", "metric", "variant", "value")
"""The columns that are read: one row a value, NULL where it could not be measured."""

SUMMARY = ("metric", "variant", "method", "is_control", "mean", "low", "high", "n", "excluded")

TESTS = (
    "metric", "variant", "family", "method_a", "method_b", "difference", "low", "high", "n", "excluded",
    "p", "p_holm", "effect", "standardised",
)  # fmt: skip


def metric_summary(values: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """The mean of each metric, variant and method over images, with its interval (`bootstrap_mean`), n and exclusions.

    Args:
        values: LONG, and any other columns.
        seed: of the intervals.

    Raises:
        EvaluationError: columns that are missing.
    """
    rows: list[dict[str, Any]] = []
    for (metric, variant), wide, controls in _by_image(values):
        for method in wide.columns:
            found = bootstrap_mean(wide[method].to_numpy(), seed=seed)
            rows.append(
                {
                    "metric": metric,
                    "variant": variant,
                    "method": method,
                    "is_control": method in controls,
                    "mean": found.mean,
                    **_interval(found),
                }
            )
    return pd.DataFrame(rows, columns=list(SUMMARY))


def metric_tests(values: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Every pair of methods, and every method against every control, on the same images (`paired_test`).

    Holm's correction is over the tests of one metric and variant and family: `methods` or `controls`.

    Args:
        values: LONG, and any other columns.
        seed: of intervals and of drawn sign patterns.

    Raises:
        EvaluationError: columns that are missing.
    """
    rows: list[dict[str, Any]] = []
    for (metric, variant), wide, controls in _by_image(values):
        methods = [method for method in wide.columns if method not in controls]
        families = {
            "methods": list(combinations(methods, 2)),
            "controls": [(a, b) for a in methods for b in wide.columns if b in controls],
        }
        for family, pairs in families.items():
            tests = [paired_test(wide[a].to_numpy(), wide[b].to_numpy(), seed=seed) for a, b in pairs]
            corrected = holm([test.p for test in tests])
            for (a, b), test, p_holm in zip(pairs, tests, corrected, strict=True):
                rows.append(
                    {
                        "metric": metric,
                        "variant": variant,
                        "family": family,
                        "method_a": a,
                        "method_b": b,
                        "difference": test.difference.mean,
                        **_interval(test.difference),
                        "p": test.p,
                        "p_holm": p_holm,
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


def _interval(found: Interval) -> dict[str, float | int | None]:
    return {"low": found.low, "high": found.high, "n": found.n, "excluded": found.excluded}
