"""How far maps move under noise, held against how far they would move if they were drawn anew.

Max-sensitivity is relative to the map's norm, in which its offset is: a map of nearly one value moves by a small share
whatever becomes of it. So each map has a reference with the same norm (`sensitivity.redrawn`): maps of other images,
brought to its own mean and spread. Their ratio does not know the offset: 0 for a map that stays, about 1 for one that is
drawn anew.
"""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.evaluation.comparison import DECIDED, INTERVAL, interval_columns
from xai_assets.evaluation.decision import decide
from xai_assets.evaluation.intervals_of_ratios import ratio_interval
from xai_assets.evaluation.paired_tests import sign_flip_p

SENSITIVITY, FLOOR, REDRAWN = "max_sensitivity", "noise_floor", "redrawn"

COLUMNS = ("measure", "method", "is_control", "mean", "redrawn", "share", *INTERVAL, *DECIDED)

Row = dict[str, Any]


def stability_summary(robustness: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Means over images of what moved and of what drawing anew would move, their ratio, and whether it is below 1.

    An image is the unit; its classes are averaged first. Whether methods' maps move less under noise than maps that are
    drawn anew is asked of all methods together, one family (`decision.decide`); of controls it is not asked, nor of a
    method's own chance.

    Args:
        robustness: image_id, method, is_control, metric and value, with the metrics SENSITIVITY, FLOOR and REDRAWN.
        seed: of drawn sign patterns.

    Returns:
        COLUMNS, `measure` SENSITIVITY or FLOOR: `mean` and `redrawn` over the images that have both, `share` the ratio of
        the two with its interval; `answer` yes: less than if drawn anew; no: more.
    """
    rows: list[Row] = []
    for measure in (SENSITIVITY, FLOOR):
        of = robustness[robustness["metric"] == measure] if len(robustness) else robustness
        for (method, is_control), moved in (
            of.groupby(["method", "is_control"], sort=False) if len(of) else ()
        ):
            anew = robustness[(robustness["metric"] == REDRAWN) & (robustness["method"] == method)]
            both = pd.DataFrame({"moved": _by_image(moved), "anew": _by_image(anew)})
            if both["anew"].notna().any():
                rows.append(_row(measure, str(method), bool(is_control), both, seed))
    asked = []
    for row in rows:
        if row["measure"] == SENSITIVITY and not row["is_control"]:
            asked.append(row)
        else:
            row |= dict.fromkeys(DECIDED)
    below = [None if row["mean"] is None else row["redrawn"] - row["mean"] for row in asked]
    for row, decision in zip(asked, decide(below, [row["p"] for row in asked]), strict=True):
        row |= asdict(decision) | {"answer": decision.answer.value}
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(measure: str, method: str, is_control: bool, both: pd.DataFrame, seed: int) -> Row:
    known = both.dropna()
    moved, anew = known["moved"].to_numpy(np.float64), known["anew"].to_numpy(np.float64)
    found = ratio_interval(moved, anew)
    return {
        "measure": measure,
        "method": method,
        "is_control": is_control,
        "mean": float(moved.mean()) if len(known) else None,
        "redrawn": float(anew.mean()) if len(known) else None,
        "share": found.mean,
        **interval_columns(found),
        "low": None if found.low is None else max(0.0, found.low),
        "excluded": len(both) - len(known),
        "p": sign_flip_p(anew - moved, seed=seed),
    }


def _by_image(table: pd.DataFrame) -> pd.Series:
    values = table["value"].astype("float64")
    return values.groupby(table["image_id"], sort=False).mean()
