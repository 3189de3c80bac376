"""Metrics put to the test where the truth is known: a metric that fails here says nothing of maps elsewhere.

Two questions are asked of a metric, each decided by the rule of `evaluation.decision` over all metrics together. Values
of metrics that are better when lower are turned round first, so that more is always better.

- ORDER. The oracle knows where the object is, the random control knows nothing: the oracle has to be above it, and
  methods between the two. All ones says nothing either: a metric that puts it above the oracle rewards saying nothing.
  Metrics that are measured against the ground truth (AGAINST_TRUTH) are not asked about the oracle: it is that truth.
- USE. Over all maps of a case, controls among them, or over the methods alone: the rank correlation of the metric's
  values with `grounding`, how far each map lies on what truly lowers the probability when it is removed (REMOVED) or
  changed in any way (CHANGED). Chance is 0: the expectation for values that have nothing to do with where maps lie.
  AGAINST_TRUTH is not asked either: the part lies inside the object, so that its order agrees with that of `grounding`
  for maps of mere noise.

The oracle is right about the object, and the model may look elsewhere: that a method is above it is no failure of a
measure of the model, and is told apart from one.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.evaluation.comparison import DECIDED, INTERVAL, in_wide_form, interval_columns
from xai_assets.evaluation.controls import ONES, ORACLE
from xai_assets.evaluation.decision import Answer, decide
from xai_assets.evaluation.grounding import IN_PLACE, REMOVAL, grounding
from xai_assets.evaluation.intervals import Bounds, mean_interval
from xai_assets.evaluation.metrics import AGAINST_TRUTH, METRICS
from xai_assets.evaluation.paired_tests import sign_flip_p
from xai_assets.evaluation.ranking import rank_correlation

RANDOM = "random"
ORDER, REMOVED, CHANGED = "order", "removed", "changed"
ALL_MAPS, METHODS = "all_maps", "methods"
YES, NO, OPEN = Answer.YES.value, Answer.NO.value, Answer.CANNOT_TELL.value

COLUMNS = ("metric", "variant", "trial", "over", "above", "below", "value", *INTERVAL, *DECIDED)
FEWEST_MAPS = 3
"""That an order of them needs to be more than one comparison."""

_QUESTION = ("trial", "over", "above", "below")
"""What one question is, of whatever metric."""

Row = dict[str, Any]


def metric_trials(values: pd.DataFrame, counterfactuals: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Every trial of every metric and variant.

    Args:
        values: image_id, target_index, method, is_control, metric, variant and value; metrics of `METRICS` that have a
            direction.
        counterfactuals: as `grounding` takes them; empty: no trial of use.
        seed: of drawn sign patterns.

    Returns:
        COLUMNS. ORDER: `above` and `below` are the maps that are compared, `value` the mean over images of the paired
        difference, in the metric's unit. REMOVED and CHANGED: `over` says which maps are put in order, `value` is the
        mean over images of the rank correlation; images where no change counts are `excluded`.
    """
    use = {REMOVED: grounding(counterfactuals, REMOVAL), CHANGED: grounding(counterfactuals, IN_PLACE)}
    rows: list[Row] = []
    for (metric, variant), part in values.groupby(["metric", "variant"], sort=False, dropna=False):
        turn = -1.0 if METRICS[str(metric)].direction == "lower" else 1.0
        span = METRICS[str(metric)].difference_bounds
        turned = part.assign(value=turn * part["value"].astype("float64"))
        named = {"metric": metric, "variant": None if pd.isna(variant) else variant}
        rows += [named | row for row in _order(turned, span, seed, oracle=metric not in AGAINST_TRUTH)]
        if metric not in AGAINST_TRUTH:
            rows += [named | row for row in _use(turned, use, seed)]
    return pd.DataFrame(_decided(rows), columns=list(COLUMNS))


def _order(values: pd.DataFrame, span: Bounds, seed: int, *, oracle: bool) -> Iterator[Row]:
    wide, controls = in_wide_form(values)
    methods = [name for name in wide.columns if name not in controls]
    pairs = [(ORACLE, name) for name in (RANDOM, ONES, *methods) if oracle]
    for above, below in [*pairs, *((name, RANDOM) for name in methods)]:
        if above in wide and below in wide:
            found = _told((wide[above] - wide[below]).to_numpy(), span, seed)
            yield {"trial": ORDER, "over": None, "above": above, "below": below, **found}


def _use(values: pd.DataFrame, use: dict[str, pd.DataFrame], seed: int) -> Iterator[Row]:
    case = ["image_id", "target_index", "method"]
    for trial, grounded in use.items():
        if not len(grounded):
            continue
        both = values.merge(grounded[[*case, "grounding"]], on=case, how="left")
        for over, of in ((ALL_MAPS, both), (METHODS, both[~both["is_control"].astype(bool)])):
            found = _told(np.array(_correlations(of), np.float64), (-1, 1), seed)
            yield {"trial": trial, "over": over, "above": None, "below": None, **found}


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


def _told(values: np.ndarray, bounds: Bounds, seed: int) -> Row:
    """The mean over images of what is above 0 where the metric tells, with its interval and its test."""
    found = mean_interval(values, bounds=bounds)
    p = sign_flip_p(values[np.isfinite(values)], seed=seed)
    return {"value": found.mean, **interval_columns(found), "p": p}


def _decided(rows: list[Row]) -> list[Row]:
    """The rows with the answer of each: one question asked of all metrics is one family."""
    families: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        families.setdefault(tuple(row[name] for name in _QUESTION), []).append(row)
    for family in families.values():
        decisions = decide([row["value"] for row in family], [row["p"] for row in family])
        for row, decision in zip(family, decisions, strict=True):
            row |= asdict(decision) | {"answer": decision.answer.value}
    return rows
