"""Seconds that a step may compute for: what is begun, and what is left out and said to be."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pandas as pd

from xai_assets.resources.tables import TABLES

LEFT_OUT = "left_out"
"""The column of a step's table that says why a map has no measures; None in every other row. The warehouse has the same
as its table `left_out`."""


class Budget:
    """The seconds of a step, from now on.

    Args:
        seconds: None: no limit.
        clock: seconds.
    """

    def __init__(self, seconds: float | None, clock: Callable[[], float] = time.perf_counter) -> None:
        self.seconds, self._clock, self._start = seconds, clock, clock()

    def allows(self, expected: float = 0.0) -> bool:
        """Whether something may be begun that takes about so many seconds."""
        return self.seconds is None or self._clock() - self._start + expected <= self.seconds

    @property
    def reason(self) -> str:
        """Why something was left out."""
        return f"budget of {self.seconds:g} s"


def spread_order(count: int) -> Iterator[int]:
    """0 to count - 1 in an order of which every beginning lies evenly over all (van der Corput, base 2)."""
    bits = max(1, (count - 1).bit_length())
    for number in range(1 << bits):
        place = int(f"{number:0{bits}b}"[::-1], 2)
        if place < count:
            yield place


def left_out_row(labels: dict[str, Any], reason: str) -> dict[str, Any]:
    """The row of a map that was not measured; `labels` as `ExplainedCase.labels` has them."""
    return {**labels, LEFT_OUT: reason}


def measured(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a step's table that are of the warehouse's: what was left out has no part in them."""
    if LEFT_OUT not in table:
        return table
    return table[table[LEFT_OUT].isna()].drop(columns=LEFT_OUT).reset_index(drop=True)


def left_out_table(of: Iterable[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """How many maps of each method were left out of which measure, as the warehouse's table `left_out`.

    Args:
        of: measures, each with its step's table.
    """
    rows = []
    key = ["image_id", "target_index"]
    for measure, table in of:
        if LEFT_OUT not in table or not len(table):
            continue
        methods = table[~table["is_control"].astype(bool)]
        for method, rows_of in methods.groupby("method", sort=False):
            out = rows_of[rows_of[LEFT_OUT].notna()]
            if len(out):
                rows.append(
                    {
                        "measure": measure,
                        "method": method,
                        "maps": len(out.drop_duplicates(key)),
                        "asked": len(rows_of.drop_duplicates(key)),
                        "reason": str(out[LEFT_OUT].iloc[0]),
                    }
                )
    return pd.DataFrame(rows, columns=list(TABLES["left_out"].columns))
