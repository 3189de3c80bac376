"""From tables to plain values: what JSON can say, and nothing else."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.evaluation.intervals import mean_interval


def plain(value: Any) -> Any:
    """`value` as JSON can say it: NumPy and pandas scalars unpacked; NA, NaN and infinities as None."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of `frame` as dictionaries of plain values, without the column `study`."""
    return [
        {str(key): plain(value) for key, value in row.items() if key != "study"}
        for row in frame.to_dict("records")
    ]


def mean(values: Iterable[Any]) -> float | None:
    """The mean of the values that are there; None when none is."""
    found = present(values)
    return float(np.mean(found)) if len(found) else None


def present(values: Iterable[Any]) -> np.ndarray:
    """The values that are there, as float64."""
    return np.array([float(value) for value in map(plain, values) if value is not None], dtype=np.float64)


def interval(values: Iterable[Any]) -> dict[str, Any] | None:
    """Mean and 95 % interval of the values that are there; None when none is.

    Returns:
        `mean`, `low`, `high` and `n`.
    """
    found = present(values)
    if not len(found):
        return None
    result = mean_interval(found)
    return {"mean": result.mean, "low": result.low, "high": result.high, "n": result.n}


def by_image(frame: pd.DataFrame, column: str) -> pd.Series:
    """One value an image: two targets of one picture are not two independent observations, so they are averaged."""
    values = pd.to_numeric(frame[column], errors="coerce").astype("float64")
    return values.groupby(frame["image_id"].astype(str)).mean().dropna().sort_index()


def in_order(values: Iterable[Any]) -> list[str]:
    """The different values, each once, in the order of their first appearance."""
    return list(dict.fromkeys(str(value) for value in values))
