"""Explanations of one run against those of an earlier one: did the same question get another answer?

On one machine the same inputs give the same bytes, so that a mask that differs was made from something else. How much
of a difference matters is for the study to say.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.evaluation.overlap import iou
from xai_assets.evaluation.statistics import bootstrap_mean, paired_difference

Case = tuple[str, int, str]
"""Image, explained class, method."""

Row = dict[str, Any]


def mask_drift(
    before: Mapping[Case, np.ndarray], after: Mapping[Case, np.ndarray], *, seed: int
) -> list[Row]:
    """IoU of the masks of the same image, class and method, one row a method of either run, in order.

    Args:
        before, after: bool (h, w) masks; those of one case need not be of one size, and are then not compared.
        seed: of the bootstrap.

    Returns:
        `subject` (the method), `compared`, `same` (masks without one different pixel), `appeared` and `gone` (cases of
        one run only, or of another size), `value`, `low` and `high`: mean IoU over cases with its 95 % interval, None
        where nothing was compared. Two empty masks are the same: their IoU counts as 1.
    """
    rows = []
    for method in dict.fromkeys(case[2] for case in (*before, *after)):
        earlier, later = ({case for case in of if case[2] == method} for of in (before, after))
        shared = sorted(case for case in earlier & later if before[case].shape == after[case].shape)
        overlaps = [1.0 if (found := iou(before[case], after[case])) is None else found for case in shared]
        mean = bootstrap_mean(overlaps, seed=seed)
        rows.append(
            {
                "subject": method,
                "compared": len(shared),
                "same": sum(np.array_equal(before[case], after[case]) for case in shared),
                "appeared": len(later - set(shared)),
                "gone": len(earlier - set(shared)),
                "value": mean.mean,
                "low": mean.low,
                "high": mean.high,
            }
        )
    return rows


def measure_drift(before: pd.DataFrame, after: pd.DataFrame, measure: str, *, seed: int) -> list[Row]:
    """The change of a measure on the same images and classes, one row a method of either run, in order.

    Args:
        before, after: image_id, target_index, method and the column `measure`.
        measure: its name.
        seed: of the bootstrap.

    Returns:
        As `mask_drift`; `value`, `low` and `high` are the mean of after - before over the cases where both were measured.
    """
    keys = ["image_id", "target_index", "method"]
    both = before[[*keys, measure]].merge(after[[*keys, measure]], on=keys, suffixes=("_before", "_after"))
    rows = []
    for method in dict.fromkeys([*before["method"], *after["method"]]):
        of = both[both["method"] == method]
        earlier, later = (pd.to_numeric(of[f"{measure}_{when}"]) for when in ("before", "after"))
        change = paired_difference(later, earlier, seed=seed)
        rows.append(
            {
                "subject": method,
                "compared": change.n,
                "same": int((earlier == later).sum()),
                "appeared": int((after["method"] == method).sum()) - len(of),
                "gone": int((before["method"] == method).sum()) - len(of),
                "value": change.mean,
                "low": change.low,
                "high": change.high,
            }
        )
    return rows
