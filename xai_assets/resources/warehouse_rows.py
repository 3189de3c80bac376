"""Rows on their way into a table: they fit its declaration, or an error names table, column and row."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd  # noqa: TID253 -- assets import this module inside their functions

from xai_assets.resources.tables import TABLES
from xai_assets.resources.warehouse_errors import WarehouseError

Scope = Mapping[str, Sequence[str]]
"""The values that some columns may have: the part of a study's rows that a load replaces."""


def fit(name: str, frame: pd.DataFrame, study: str, scope: Scope) -> pd.DataFrame:
    """The frame as it goes into the table: the study and the declared columns, in order, with their types.

    Raises:
        WarehouseError: as `Warehouse.replace`.
    """
    if name not in TABLES:
        raise WarehouseError(
            f"table {name}", "is not declared", "Declare it in xai_assets/resources/tables.py."
        )
    declared = TABLES[name].columns
    missing, extra = (
        sorted(declared.keys() - set(frame.columns)),
        sorted(set(frame.columns) - declared.keys()),
    )
    if missing or extra:
        why = f"columns missing: {missing}, not declared: {extra}"
        raise WarehouseError(
            f"table {name}", why, "Correct the step that makes the rows, or the declaration."
        )
    for column, spec in declared.items():
        values = frame[column]
        if not spec.nullable and values.isna().any():
            row = int(values.isna().to_numpy().argmax())
            raise WarehouseError(
                f"table {name}, column {column}",
                f"no value in row {row}",
                "Leave such a row out and count it, in the step that makes it.",
            )
        if spec.type == "DOUBLE" and any(isinstance(v, float) and math.isinf(v) for v in values):
            raise WarehouseError(
                f"table {name}, column {column}",
                "an infinite value",
                "Correct the step that made it; what is not defined is NULL.",
            )
    _check_rows(name, frame, scope)
    ordered = frame[list(declared)].copy()
    for column, spec in declared.items():
        # Object columns of one NULL would be typed INTEGER by DuckDB's sniffing; pandas' own types say what is meant.
        dtype = {"VARCHAR": "string", "DOUBLE": "Float64", "BIGINT": "Int64", "BOOLEAN": "boolean"}[spec.type]
        ordered[column] = ordered[column].astype(dtype)
    ordered.insert(0, "study", study)
    return ordered


def _check_rows(name: str, frame: pd.DataFrame, scope: Scope) -> None:
    for column, values in scope.items():
        outside = frame.loc[~frame[column].isin(list(values)), column]
        if len(outside):
            raise WarehouseError(
                f"table {name}, column {column}",
                f"{outside.iloc[0]!r} is outside of what is replaced ({', '.join(values)})",
                "Load it with a scope that has it.",
            )
    key = list(TABLES[name].key)
    if key and frame.duplicated(key).any():
        row = frame[frame.duplicated(key)].iloc[0]
        raise WarehouseError(
            f"table {name}",
            "two rows for " + ", ".join(f"{column} {row[column]}" for column in key),
            "Give one row for each.",
        )
