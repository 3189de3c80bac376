"""How far methods agree over all images, and whether further than their maps of other images do."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.evaluation.chance import OF_PAIRS
from xai_assets.evaluation.comparison import DECIDED, INTERVAL, interval_columns, interval_of
from xai_assets.evaluation.decision import decide

COLUMNS = (
    "method_a", "method_b", "metric", "area", "mean", *INTERVAL, "chance", "chance_scattered", "attainable",
    "difference", "difference_low", "difference_high", "difference_interval", *DECIDED,
)  # fmt: skip
"""Of the table, in order."""

OF_MASKS = ("iou", "iou_matched", "dice", "rank_correlation")
"""The metrics of the table of agreement. The first is the headline."""

_SCATTERED = {"iou": "chance_iou", "dice": "chance_iou", "iou_matched": "chance_iou_matched"}
"""The column with what pixels scattered over the frame would give, of each metric of masks."""


def agreement_summary(agreement: pd.DataFrame, sweep: pd.DataFrame, chance: pd.DataFrame) -> pd.DataFrame:
    """One row a pair of methods and metric: mean over images, what chance gives, and what the test decides.

    The questions of all pairs about one metric, and one area of the sweep, are a family (`decision.decide`).

    Args:
        agreement: as `agreement.agreement_table` gives it, of all cases.
        sweep: as `agreement.agreement_sweep` gives it.
        chance: OF_PAIRS, of the same maps: `chance.chance_of_pairs`.

    Returns:
        COLUMNS. `area` is given for the sweep: IoU at matched area, at this share of the frame.
    """
    known = {
        (frozenset((row["method_a"], row["method_b"])), row["metric"], _area(row["area"])): row
        for row in chance[list(OF_PAIRS)].to_dict("records")
    }
    rows: list[dict[str, Any]] = []
    order: dict[frozenset[str], tuple[str, str]] = {}
    for metric, area, table, column in _asked(agreement, sweep):
        family = [
            _row(*order[pair], metric, area, of, column, known.get((pair, metric, area)))
            for pair, of in table.groupby(_pairs(table, order), sort=False)
        ]
        decisions = decide([row["difference"] for row in family], [row["p"] for row in family], repaired=True)
        rows += [{**row, **asdict(decided)} for row, decided in zip(family, decisions, strict=True)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _pairs(table: pd.DataFrame, order: dict[frozenset[str], tuple[str, str]]) -> pd.Series:
    """The pair of each row, whichever method comes first there; `order` has that of its first row."""
    named = list(zip(table.get("method_a", []), table.get("method_b", []), strict=True))
    for pair in named:
        order.setdefault(frozenset(pair), pair)
    return pd.Series([frozenset(pair) for pair in named], index=table.index, dtype=object)


def _asked(
    agreement: pd.DataFrame, sweep: pd.DataFrame
) -> Iterable[tuple[str, float | None, pd.DataFrame, str]]:
    for metric in OF_MASKS:
        yield metric, None, agreement, metric
    for area in sorted(sweep["area"].unique()) if len(sweep) else ():
        yield "iou_matched", _area(area), sweep[sweep["area"] == area], "iou"


def _row(
    a: str, b: str, metric: str, area: float | None, table: pd.DataFrame, column: str, chance: Any
) -> dict[str, Any]:
    values = pd.to_numeric(table[column], errors="coerce").astype("float64")
    mean = interval_of(metric, values.groupby(table["image_id"], sort=False).mean().to_numpy())
    scattered = _scattered(metric, area, table).astype("float64").where(values.notna())
    found = chance if chance is not None else {}
    return {
        "method_a": a,
        "method_b": b,
        "metric": metric,
        "area": area,
        "mean": mean.mean,
        **interval_columns(mean),
        "chance": _number(found.get("chance")),
        "chance_scattered": _number(scattered.groupby(table["image_id"], sort=False).mean().mean()),
        "attainable": _number(found.get("attainable")),
        "difference": _number(found.get("difference")) if _number(found.get("chance")) is not None else None,
        "difference_low": _number(found.get("low")),
        "difference_high": _number(found.get("high")),
        "difference_interval": found.get("interval"),
        "p": _number(found.get("p")),
    }


def _scattered(metric: str, area: float | None, table: pd.DataFrame) -> pd.Series:
    if metric == "rank_correlation":
        return pd.Series(0.0, index=table.index)
    given = table["chance_iou" if area is not None else _SCATTERED[metric]].astype("float64")
    return 2 * given / (1 + given) if metric == "dice" else given


def _area(value: Any) -> float | None:
    return None if value is None or np.isnan(value) else round(float(value), 6)


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
