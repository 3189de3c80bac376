"""Explanations of one run against those of an earlier one: did the same question get another answer?

On one machine the same inputs give the same bytes, so that a mask that differs was made from something else. How much
of a difference matters is for the study to say.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.evaluation.intervals import UNBOUNDED, Bounds, Interval, mean_interval
from xai_assets.evaluation.metrics import METRICS
from xai_assets.evaluation.overlap import iou

Case = tuple[str, int, str]
"""Image, explained class, method."""

Row = dict[str, Any]


def mask_drift(before: Mapping[Case, np.ndarray], after: Mapping[Case, np.ndarray]) -> list[Row]:
    """IoU of the masks of the same image, class and method, one row a method of either run, in order.

    Args:
        before, after: bool (h, w) masks; those of one case need not be of one size, and are then not compared.

    Returns:
        `subject` (the method), `compared`, `same` (masks without one different pixel), `appeared` and `gone` (cases of
        one run only, or of another size), `value`, `low` and `high`: mean IoU over images, of whose cases the mean
        counts, with its 95 % interval; None where there is none. Two empty masks are the same: their IoU counts as 1.
    """
    rows = []
    for method in dict.fromkeys(case[2] for case in (*before, *after)):
        earlier, later = ({case for case in of if case[2] == method} for of in (before, after))
        shared = sorted(case for case in earlier & later if before[case].shape == after[case].shape)
        overlaps = [1.0 if (found := iou(before[case], after[case])) is None else found for case in shared]
        mean = _over_images([case[0] for case in shared], overlaps, (0.0, 1.0))
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


def measure_drift(before: pd.DataFrame, after: pd.DataFrame, measure: str) -> list[Row]:
    """The change of a measure on the same images and classes, one row a method of either run, in order.

    Args:
        before, after: image_id, target_index, method and the column `measure`.
        measure: its name.

    Returns:
        As `mask_drift`; `value`, `low` and `high` are the mean of after - before over the images with both.
    """
    keys = ["image_id", "target_index", "method"]
    both = before[[*keys, measure]].merge(after[[*keys, measure]], on=keys, suffixes=("_before", "_after"))
    rows = []
    for method in dict.fromkeys([*before["method"], *after["method"]]):
        of = both[both["method"] == method]
        earlier, later = (pd.to_numeric(of[f"{measure}_{when}"]) for when in ("before", "after"))
        differences = (later - earlier).to_numpy(np.float64)
        bounds = METRICS[measure].difference_bounds if measure in METRICS else UNBOUNDED
        change = _over_images(of["image_id"].tolist(), differences.tolist(), bounds)
        rows.append(
            {
                "subject": method,
                "compared": int(np.isfinite(differences).sum()),
                "same": int((earlier == later).sum()),
                "appeared": int((after["method"] == method).sum()) - len(of),
                "gone": int((before["method"] == method).sum()) - len(of),
                "value": change.mean,
                "low": change.low,
                "high": change.high,
            }
        )
    return rows


def _over_images(images: list[str], values: list[float], bounds: Bounds) -> Interval:
    """The mean over images with its interval; the cases of one image are averaged first."""
    by_image = (
        pd.Series(values, dtype="float64").groupby(pd.Series(images, dtype="object"), sort=False).mean()
    )
    return mean_interval(by_image, bounds=bounds)
