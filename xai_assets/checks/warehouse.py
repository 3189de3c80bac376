"""Checks of the warehouse: its tables are what was loaded, and explanations are still those of the run before."""

from xai_assets.checks.check import Check, Verdict, not_asked
from xai_assets.resources.table import Table


def _hold(drift: Table, *_: Table) -> Verdict:
    moved = drift[drift["drifted"].astype(bool)]
    if (drift["kind"] == "first").all():
        return not_asked(str(drift["said"].iloc[0]))
    compared, same = int(drift["compared"].sum()), int(drift["same"].sum())
    numbers = {"compared": compared, "same": same, "drifted": len(moved)}
    if not len(moved):
        return Verdict(
            True, f"No change beyond noise: {same} of {compared} comparisons are the same.", numbers
        )
    told = " ".join(f"{row.subject}, {row.measure}: {row.said}" for row in moved.itertuples())
    return Verdict(
        False, f"{told} Look at what was changed: weights, pictures, parameters, versions.", numbers
    )


def _loaded(loaded: Table, *others: Table) -> Verdict:
    stored = others[-1]
    there = dict(zip(stored["table"], stored["rows"], strict=True))
    other = [
        f"{row.table} has {there.get(row.table, 0)} of {row.rows}"
        for row in loaded.itertuples()
        if there.get(row.table, 0) != row.rows
    ]
    total = int(loaded["rows"].sum())
    said = f"All {total} rows of {len(loaded)} tables stand in DuckDB."
    if other:
        said = f"Not what was loaded: {'; '.join(other)}. Another run of this study may be loading: run it again."
    return Verdict(not other, said, {"rows": total, "tables": len(loaded), "other": len(other)})


LOADED = Check(
    "rows_are_those_loaded",
    "DuckDB has as many rows of the study as were computed, in each table: reports are made from them.",
    _loaded,
    blocking=True,
)
EXPLANATIONS_HOLD = Check(
    "explanations_hold",
    "Masks, measures and concepts are those of the last run, up to noise and the study's limit.",
    _hold,
)
