"""How far a map lies on what the model truly uses, as pictures with one thing changed measure it."""

from collections.abc import Sequence

import pandas as pd

from xai_assets.evaluation.parameters import MATTERS

REMOVAL = ("part_removed",)
"""The one change that takes something away and puts nothing in its place but what lies behind: where the probability
falls, it hung on what is gone."""

IN_PLACE = (*REMOVAL, "recoloured", "retextured", "background_replaced")
"""All changes that overwrite pixels where they stand. A fall may come as well of what is put there: another scene can
speak for another class. `moved` is none of them: what it takes from one place it puts at another, and a fall says that
the model minds the place, not which pixels its answer hangs on."""


def grounding(
    counterfactuals: pd.DataFrame, changes: Sequence[str] = REMOVAL, *, matters: float = MATTERS
) -> pd.DataFrame:
    """Of each case and map: the share of its positive mass, beyond an even map's, on what lowers the probability.

    Over those of the changes c whose fall is at least `matters`, weighted by the fall that was measured:

        g = Σ fall(c) (energy(c) − area(c)) / Σ fall(c)

    A map that is the same everywhere has 0, whatever the model uses; one that lies wholly on the one small region
    that counts is near 1; one that avoids it is below 0. Energy is the map's, area and fall are not, so that maps of
    one case are put in order by where they lie alone.

    Args:
        counterfactuals: image_id, target_index, method, is_control, change, fall, area and energy (None: the map shows
            nothing, or the change alters no pixel).
        changes: those that are looked at: REMOVAL or IN_PLACE.
        matters: the least fall that counts, in probability.

    Returns:
        image_id, target_index, method, is_control and `grounding` in -1..1. A case in which no change counts, or a
        map that shows nothing, has no row.
    """
    case = ["image_id", "target_index", "method", "is_control"]
    if not len(counterfactuals):
        return pd.DataFrame(columns=[*case, "grounding"])
    counts = counterfactuals[
        counterfactuals["change"].isin(changes) & (counterfactuals["fall"] >= matters)
    ].dropna(subset=["energy"])
    beyond = (counts["energy"].astype("float64") - counts["area"]) * counts["fall"]
    sums = counts.assign(beyond=beyond).groupby(case, sort=False)[["beyond", "fall"]].sum()
    return (sums["beyond"] / sums["fall"]).rename("grounding").reset_index()
