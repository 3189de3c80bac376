"""Metrics put to the test where the truth is known: a metric that fails here says nothing of maps elsewhere.

Two questions are asked of a metric, each answered by a mean over images with its interval. Values of metrics that are
better when lower are turned round first, so that more is always better.

- ORDER. The oracle knows where the object is, the random control knows nothing: the oracle has to be above it, and
  methods between the two. All ones says nothing either: a metric that puts it above the oracle rewards saying nothing.
- USE. Over all maps of a case, controls among them, or over the methods alone: the rank correlation of the metric's
  values with `grounding`, how far each map lies on what truly lowers the probability when it is removed (REMOVED) or
  changed in any way (CHANGED). Chance is 0: the expectation for values that have nothing to do with where maps lie.

The oracle is right about the object, and the model may look elsewhere: that a method is above it is no failure of a
measure of the model, and is told apart from one.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.evaluation.comparison import in_wide_form
from xai_assets.evaluation.controls import ONES, ORACLE
from xai_assets.evaluation.grounding import IN_PLACE, REMOVAL, grounding
from xai_assets.evaluation.metrics import METRICS
from xai_assets.evaluation.ranking import rank_correlation
from xai_assets.evaluation.statistics import Interval, bootstrap_mean, paired_difference

RANDOM = "random"
ORDER, REMOVED, CHANGED = "order", "removed", "changed"
ALL_MAPS, METHODS = "all_maps", "methods"
YES, NO, OPEN = "yes", "no", "cannot_tell"

COLUMNS = (
    "metric",
    "variant",
    "trial",
    "over",
    "above",
    "below",
    "value",
    "low",
    "high",
    "n",
    "excluded",
    "verdict",
)
FEWEST_MAPS = 3
"""That an order of them needs to be more than one comparison."""

FEWEST_IMAGES = 6
"""That a verdict needs: five that all say the same do so by chance with 2 / 2⁵ > 0.05, however narrow their interval."""

Row = dict[str, Any]


def metric_trials(values: pd.DataFrame, counterfactuals: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Every trial of every metric and variant.

    Args:
        values: image_id, target_index, method, is_control, metric, variant and value; metrics of `METRICS` that have a
            direction.
        counterfactuals: as `grounding` takes them; empty: no trial of use.
        seed: of the intervals.

    Returns:
        COLUMNS. ORDER: `above` and `below` are the maps that are compared, `value` the mean over images of the paired
        difference, in the metric's unit. REMOVED and CHANGED: `over` says which maps are put in order, `value` is the
        mean over images of the rank correlation; images where no change counts are `excluded`.
    """
    use = {REMOVED: grounding(counterfactuals, REMOVAL), CHANGED: grounding(counterfactuals, IN_PLACE)}
    rows: list[Row] = []
    for (metric, variant), part in values.groupby(["metric", "variant"], sort=False, dropna=False):
        turn = -1.0 if METRICS[str(metric)].direction == "lower" else 1.0
        turned = part.assign(value=turn * part["value"].astype("float64"))
        named = {"metric": metric, "variant": None if pd.isna(variant) else variant}
        rows += [named | row for row in (*_order(turned, seed), *_use(turned, use, seed))]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def verdict(found: Interval) -> str:
    """YES where the whole interval is above 0, NO where it is below; OPEN where it holds 0, or of too few images."""
    if found.n < FEWEST_IMAGES or found.low is None or found.high is None or found.low <= 0 <= found.high:
        return OPEN
    return YES if found.low > 0 else NO


def _order(values: pd.DataFrame, seed: int) -> Iterator[Row]:
    wide, controls = in_wide_form(values)
    methods = [name for name in wide.columns if name not in controls]
    pairs = [(ORACLE, RANDOM), (ORACLE, ONES), *((ORACLE, name) for name in methods)]
    for above, below in [*pairs, *((name, RANDOM) for name in methods)]:
        if above in wide and below in wide:
            found = paired_difference(wide[above].to_numpy(), wide[below].to_numpy(), seed=seed)
            yield {"trial": ORDER, "over": None, "above": above, "below": below, **_told(found)}


def _use(values: pd.DataFrame, use: dict[str, pd.DataFrame], seed: int) -> Iterator[Row]:
    case = ["image_id", "target_index", "method"]
    for trial, grounded in use.items():
        if not len(grounded):
            continue
        both = values.merge(grounded[[*case, "grounding"]], on=case, how="left")
        for over, of in ((ALL_MAPS, both), (METHODS, both[~both["is_control"].astype(bool)])):
            found = bootstrap_mean(_correlations(of), seed=seed)
            yield {"trial": trial, "over": over, "above": None, "below": None, **_told(found)}


def _correlations(both: pd.DataFrame) -> list[float | None]:
    """One value an image: the mean over its cases of the rank correlation over maps; None where there is none."""
    found = []
    for _, image in both.groupby("image_id", sort=False):
        cases = [_correlation(case) for _, case in image.groupby("target_index", sort=False)]
        measured = [value for value in cases if value is not None]
        found.append(sum(measured) / len(measured) if measured else None)
    return found


def _correlation(case: pd.DataFrame) -> float | None:
    values = case["value"].to_numpy(np.float64, na_value=np.nan)
    grounding = case["grounding"].to_numpy(np.float64, na_value=np.nan)
    measured = np.isfinite(values) & np.isfinite(grounding)
    if measured.sum() < FEWEST_MAPS:
        return None
    # Values that tie make one rank; a metric that gives all maps the same has no order to be right about.
    return rank_correlation(values[measured], grounding[measured])


def _told(found: Interval) -> Row:
    return {
        "value": found.mean,
        "low": found.low,
        "high": found.high,
        "n": found.n,
        "excluded": found.excluded,
        "verdict": verdict(found),
    }
