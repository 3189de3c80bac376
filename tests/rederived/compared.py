"""Rows of a table against the same rows made again."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from tests.rederived import formulas

Row = dict[str, Any]


def records(table: pd.DataFrame) -> list[Row]:
    """Rows with None for all that is missing."""
    plain = table.astype(object).where(table.notna(), None)
    return plain.drop(columns=["study"], errors="ignore").to_dict("records")


def same(a: Any, b: Any, within: float = 0.0) -> bool:
    if isinstance(a, float | int) and isinstance(b, float | int) and not isinstance(a, bool):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=max(1e-9, within))
    return a == b


class Found:
    """What a table says otherwise than its raw data do, and how many numbers were held against them."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.held = 0

    def check(
        self,
        where: str,
        row: Mapping[str, Any],
        expected: Mapping[str, Any],
        within: Mapping[str, float] = {},
    ) -> None:
        """A row against what is expected of some of its columns; `within` allows for drawn p."""
        for name, value in expected.items():
            self.held += 1
            if not same(row[name], value, within.get(name, 0.0)):
                self.wrong.append(f"{where}: {name} is {row[name]!r}, and the raw data give {value!r}")

    def keys(self, where: str, rows: Iterable[Any], expected: Iterable[Any]) -> None:
        """Which rows there are."""
        have, want = set(rows), set(expected)
        if have != want:
            self.wrong.append(f"{where}: rows {sorted(map(str, have ^ want))[:6]}")

    def family(self, where: str, rows: list[Row], difference: Any, *, repaired: bool = False) -> None:
        """The corrected p, size, fewest images and answer of rows that are asked together, from their p."""
        corrected = formulas.holm([row["p"] for row in rows])
        size = sum(p is not None for p in corrected)
        for row, p_holm in zip(rows, corrected, strict=True):
            expected = {
                "p_holm": p_holm,
                "family_size": size,
                "answer": formulas.answer(difference(row), p_holm),
            }
            if "fewest" in row:
                expected["fewest"] = formulas.fewest(size, repaired)
            self.check(f"{where} {_named(row)}", row, expected)


def _named(row: Row) -> str:
    return " ".join(str(value) for value in row.values() if isinstance(value, str))[:90]
