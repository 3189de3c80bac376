"""From tables to plain values: what JSON can say, and nothing else."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd


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


def in_order(values: Iterable[Any]) -> list[str]:
    """The different values, each once, in the order of their first appearance."""
    return list(dict.fromkeys(str(value) for value in values))


SMALLEST_P = 0.001
"""A smaller p is said to be below this."""


def p_value(p: float) -> str:
    """ "0.008", or "< 0.001"."""
    return f"< {SMALLEST_P}" if p < SMALLEST_P else f"{p:.3f}"


def p_equals(p: float) -> str:
    """ "p = 0.008", or "p < 0.001"."""
    return f"p < {SMALLEST_P}" if p < SMALLEST_P else f"p = {p:.3f}"
