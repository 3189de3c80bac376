"""Explanations of one run against those of an earlier one: did the same question get another answer?

On one machine the same inputs give the same bytes, so that a mask that differs was made from something else. How much
of a difference matters is for the study to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.evaluation.decision import decide
from xai_assets.evaluation.intervals import UNBOUNDED, Interval, mean_interval
from xai_assets.evaluation.metrics import METRICS
from xai_assets.evaluation.overlap import iou
from xai_assets.evaluation.paired_tests import sign_flip_p

Case = tuple[str, int, str]
"""Image, target class, method."""

Row = dict[str, Any]


def mask_drift(before: Mapping[Case, np.ndarray], after: Mapping[Case, np.ndarray]) -> list[Row]:
    """IoU of the masks of the same image, class and method, one row a method of either run, in order.

    Args:
        before, after: bool (h, w) masks; those of one case need not be of one size, and are then not compared.

    Returns:
        `subject` (the method), `compared`, `same` (masks without one different pixel), `appeared` and `gone` (cases of
        one run only, or of another size), `value`, `low`, `high`, `interval` and `n`: mean IoU over images, of whose
        cases the mean counts, with its 95 % interval; None where there is none. Two empty masks are the same: their IoU
        counts as 1.
    """
    rows = []
    for method in dict.fromkeys(case[2] for case in (*before, *after)):
        earlier, later = ({case for case in of if case[2] == method} for of in (before, after))
        shared = sorted(case for case in earlier & later if before[case].shape == after[case].shape)
        overlaps = [1.0 if (found := iou(before[case], after[case])) is None else found for case in shared]
        mean = mean_interval(_by_image([case[0] for case in shared], overlaps), bounds=(0.0, 1.0))
        rows.append(
            {
                "subject": method,
                "compared": len(shared),
                "same": sum(np.array_equal(before[case], after[case]) for case in shared),
                "appeared": len(later - set(shared)),
                "gone": len(earlier - set(shared)),
                "value": mean.mean,
                **_interval(mean),
            }
        )
    return rows


def measure_drift(
    before: pd.DataFrame, after: pd.DataFrame, measures: Sequence[str], *, seed: int = 0
) -> list[Row]:
    """The change of measures on the same images and classes, one row a measure and method of either run, in order.

    Whether a mean changed is asked of all methods and measures together, one family (`decision.decide`).

    Args:
        before, after: image_id, target_index, method and the columns `measures`.
        measures: their names.
        seed: of drawn sign patterns.

    Returns:
        As `mask_drift` with `measure`; `value` is the mean of after - before over the images with both, and DECIDED
        says whether it is decided.
    """
    rows = [row for measure in measures for row in _changes(before, after, measure, seed)]
    decisions = decide([row["value"] for row in rows], [row["p"] for row in rows])
    for row, decision in zip(rows, decisions, strict=True):
        row |= asdict(decision) | {"answer": decision.answer.value}
    return rows


def _changes(before: pd.DataFrame, after: pd.DataFrame, measure: str, seed: int) -> list[Row]:
    keys = ["image_id", "target_index", "method"]
    both = before[[*keys, measure]].merge(after[[*keys, measure]], on=keys, suffixes=("_before", "_after"))
    rows = []
    for method in dict.fromkeys([*before["method"], *after["method"]]):
        of = both[both["method"] == method]
        earlier, later = (pd.to_numeric(of[f"{measure}_{when}"]) for when in ("before", "after"))
        differences = (later - earlier).to_numpy(np.float64)
        bounds = METRICS[measure].difference_bounds if measure in METRICS else UNBOUNDED
        by_image = _by_image(of["image_id"].tolist(), differences.tolist())
        change = mean_interval(by_image, bounds=bounds)
        rows.append(
            {
                "subject": method,
                "measure": measure,
                "compared": int(np.isfinite(differences).sum()),
                "same": int((earlier == later).sum()),
                "appeared": int((after["method"] == method).sum()) - len(of),
                "gone": int((before["method"] == method).sum()) - len(of),
                "value": change.mean,
                **_interval(change),
                "p": sign_flip_p(by_image.dropna().to_numpy(), seed=seed),
            }
        )
    return rows


def _by_image(images: list[str], values: list[float]) -> pd.Series:
    """One value an image: the mean over its cases."""
    return pd.Series(values, dtype="float64").groupby(pd.Series(images, dtype="object"), sort=False).mean()


def _interval(found: Interval) -> Row:
    return {"low": found.low, "high": found.high, "interval": found.method, "n": found.n}
