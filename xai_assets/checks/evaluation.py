"""Checks of what explanations are worth: whether they are still those of the run before."""

from xai_assets.checks.check import Check, Verdict
from xai_assets.resources.table import Table


def _hold(drift: Table, *_: Table) -> Verdict:
    moved = drift[drift["drifted"].astype(bool)]
    if (drift["kind"] == "first").all():
        return Verdict(True, str(drift["said"].iloc[0]))
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


EXPLANATIONS_HOLD = Check(
    "explanations_hold",
    "Masks, measures and concepts are those of the last run, up to noise and the study's limit.",
    _hold,
)
