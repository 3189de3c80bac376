"""Every number of a report with an interval, a p or an answer, and the rows of the warehouse that it has to be one of."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

ENDS = {"low": "high", "difference_low": "difference_high", "low_a": "high_a", "low_b": "high_b"}
"""Columns that hold the two ends of an interval."""


def intervals_of_tables(tables: dict[str, pd.DataFrame]) -> set[tuple[float, float, float]]:
    """(mean, low, high) of every row and interval: each of its real numbers could be the one between the ends."""
    found = set()
    for table in tables.values():
        for low, high in ENDS.items():
            if not {low, high} <= set(table.columns):
                continue
            reals = [
                name for name in table.columns if table[name].dtype.kind == "f" and name not in (low, high)
            ]
            for row in table.dropna(subset=[low, high]).to_dict("records"):
                found |= {(row[name], row[low], row[high]) for name in reals if pd.notna(row[name])}
    return found


def values_of_tables(tables: dict[str, pd.DataFrame], column: str) -> set[Any]:
    """All values of a column, in whatever table it is."""
    return {value for table in tables.values() if column in table for value in table[column].dropna()}


def intervals_of_report(content: Any, path: str = "") -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Where a report's JSON has an interval, and (mean, low, high)."""
    if isinstance(content, dict):
        if {"mean", "low", "high"} <= content.keys() and None not in (content["low"], content["high"]):
            yield path, (content["mean"], content["low"], content["high"])
        for key, value in content.items():
            yield from intervals_of_report(value, f"{path}.{key}")
    elif isinstance(content, list):
        for at, value in enumerate(content):
            yield from intervals_of_report(value, f"{path}[{at}]")


def keyed(content: Any, key: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """Where a report's JSON has a value under the key, and the value; not where it is None."""
    if isinstance(content, dict):
        if content.get(key) is not None:
            yield path, content[key]
        for name, value in content.items():
            yield from keyed(value, key, f"{path}.{name}")
    elif isinstance(content, list):
        for at, value in enumerate(content):
            yield from keyed(value, key, f"{path}[{at}]")


def foreign(content: Any, tables: dict[str, pd.DataFrame]) -> list[str]:
    """What a report says that no row of the warehouse does: intervals, corrected p, answers and differences."""
    known = intervals_of_tables(tables)
    wrong = [f"{path}: {found}" for path, found in intervals_of_report(content) if found not in known]
    for key in ("p_holm", "answer", "largest_difference"):
        rows = values_of_tables(tables, key)
        wrong += [f"{path}.{key}: {value}" for path, value in keyed(content, key) if value not in rows]
    return wrong
