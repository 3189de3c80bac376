"""Whether the maps hold still where the question does, and go where the model goes: stability and sanity."""

from typing import Any

import pandas as pd

from xai_assets.evaluation.comparison import DECIDED, INTERVAL
from xai_assets.evaluation.stability import SENSITIVITY
from xai_assets.reporting import names, narrative
from xai_assets.reporting.faithfulness import cell, ordered
from xai_assets.reporting.numbers import in_order, plain, records
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]

LIME = ("lime_vsi", "lime_csi", "lime_seed_iou")


def robustness(results: StudyResults) -> Row:
    """The chapter's data.

    Returns:
        `rows` (one a method or control: `key`, `is_control`, `sensitivity`, `floor`, `anew` (see `_anew`), and of
        the veto `similarity` (mean,
        low, high, n; or None), `above`, `vetoed`, `alive` and `maps`: how many of the shuffled network's maps show
        anything, and of how many), `lime` (metric and value), `sentences`, `images` (the fewest that were
        measured), `not_asked` (sets of maps that other tools made, which cannot be made again), `fast` (methods whose
        maps were made again in fast mode, and were compared with a map of that mode).
    """
    table = results.metric_summary
    found = table[table["metric"] == "max_sensitivity"] if len(table) else table
    external = (
        [key for key in in_order(results.maps["method"]) if names.external(key)] if len(results.maps) else []
    )
    if not len(found):
        return {"rows": [], "lime": [], "sentences": [], "images": 0, "not_asked": external, "fast": []}
    vetoes = {row["method"]: row for row in results.randomisation_veto.to_dict("records")}
    anew = {row["method"]: row for row in records(results.stability_summary) if row["measure"] == SENSITIVITY}
    rows = []
    for key, is_control in ordered(found):
        veto = vetoes.get(key, {})
        rows.append(
            {
                "key": key,
                "is_control": is_control,
                "sensitivity": cell(table, key, "max_sensitivity", None),
                "floor": cell(table, key, "noise_floor", None),
                "anew": _anew(anew.get(key)),
                "similarity": _similarity(veto),
                "above": plain(veto.get("above")),
                "vetoed": plain(veto.get("vetoed")),
                "alive": int(veto.get("alive", 0)),
                "maps": int(veto.get("alive", 0)) + int(veto.get("vanished", 0)),
            }
        )
    lime = [{"metric": key, "value": cell(table, "lime", key, None)} for key in LIME]
    return {
        "rows": rows,
        "lime": [row for row in lime if row["value"]],
        "sentences": narrative.robustness(rows, lime),
        "images": _fewest(found),
        "not_asked": external,
        "fast": _fast(results.robustness),
    }


def _anew(row: Row | None) -> Row | None:
    """Max-sensitivity as a share of that of a map drawn anew (mean, low, high, n), and what was decided of it."""
    if row is None or row["share"] is None:
        return None
    return {"mean": row["share"]} | {name: row[name] for name in (*INTERVAL, *DECIDED)}


def _similarity(veto: Row) -> Row | None:
    if plain(veto.get("similarity")) is None:
        return None
    return {"mean": float(veto["similarity"])} | {name: plain(veto[name]) for name in INTERVAL}


def _fast(table: pd.DataFrame) -> list[str]:
    return in_order(table.loc[table["mode"] == "fast", "method"]) if len(table) else []


def _fewest(table: pd.DataFrame) -> int:
    counts = table.loc[~table["is_control"].astype(bool), "n"]
    return int(counts.min()) if len(counts) else 0
