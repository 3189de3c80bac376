"""What stands in the warehouse of a study's verification: rows of maps that are still the study's, and their summary."""

from typing import Any

import pandas as pd

from xai_assets.analysis.verification import TABLE
from xai_assets.attribution.verification import REFERENCES
from xai_assets.resources.tables import TABLES

SUMMARY = "verification_summary"


def verified(rows: pd.DataFrame, stored: pd.DataFrame, maps: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables `verification` and `verification_summary` to load, from new rows and those that are there.

    A row that is there stays, whoever asked for it, until its map is compared anew: what was found beyond a tolerance is
    not gone because another sample is drawn. It goes when it says nothing of today's maps: its map is not the study's
    any more, or the library's version or the tolerance is another. Rows are in the methods' usual order, and within a
    method in that of its maps.

    Args:
        rows: those that were compared now.
        stored: those that are there.
        maps: the table `maps`, of all methods.
    """
    stored = stored[_says_something(stored, maps)]
    rows = rows[rows["comparison"].notna()]
    known = pd.concat([frame for frame in (rows, stored) if len(frame)] or [rows], ignore_index=True)
    known = known.drop_duplicates(list(TABLES[TABLE].key), keep="first")
    methods = list(REFERENCES)
    ours = [name for name in _names(maps) if name[2] in methods]  # other tools' maps are not made again
    in_order = sorted(ours, key=lambda name: methods.index(name[2]))
    place = {name: number for number, name in enumerate(in_order)}
    known = known.assign(place=[place[name] for name in _names(known)]).sort_values("place")
    return {TABLE: known[list(TABLES[TABLE].columns)], SUMMARY: _summary_table(known, maps)}


def summary(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """One entry a method: maps compared and not, largest difference of those compared, seconds of both, verdict, notes.

    The verdict is beyond where one map is; within where all that were compared are, and some were; else not_compared.
    `image_id` and `target_name` are of the largest difference.
    """
    found = []
    for method, of_method in rows.groupby("method", sort=False):
        compared = of_method[of_method["verdict"] != "not_compared"]
        verdict, worst = "not_compared", {}
        if len(compared):
            verdict = "beyond" if (compared["verdict"] == "beyond").any() else "within"
            worst = compared.sort_values("difference", ascending=False, kind="stable").iloc[0].to_dict()
        found.append(
            {
                "method": method,
                "library": of_method["library"].iloc[0],
                "maps": len(compared),
                "not_compared": len(of_method) - len(compared),
                "largest_difference": float(worst["difference"]) if worst else None,
                "image_id": worst.get("image_id"),
                "target_name": worst.get("target_name"),
                "tolerance": float(of_method["tolerance"].iloc[0]),
                "tolerance_reason": REFERENCES[str(method)].reason,
                "seconds_library": float(compared["seconds_library"].sum()),
                "seconds": float(compared["seconds"].sum()),
                "verdict": verdict,
                "notes": list(dict.fromkeys(of_method["note"].dropna())),
            }
        )
    return found


def _says_something(stored: pd.DataFrame, maps: pd.DataFrame) -> list[bool]:
    """Of each stored row, whether it is of one of these maps, and of today's library and tolerance."""
    todays = set(_names(maps))
    return [
        name in todays
        and isinstance(row["comparison"], str)
        and row["method"] in REFERENCES
        and row["library"] == REFERENCES[row["method"]].named
        and row["tolerance"] == REFERENCES[row["method"]].tolerance
        for name, row in zip(_names(stored), stored.to_dict("records"), strict=True)
    ]


def _names(table: pd.DataFrame) -> list[tuple[str, int, str, str]]:
    """What each row is about: image, class, method and the map's artifact, which two copies of a picture share."""
    columns = ["image_id", "target_index", "method", "artifact"]
    return [(row[0], int(row[1]), row[2], row[3]) for row in table[columns].itertuples(index=False)]


def _summary_table(rows: pd.DataFrame, maps: pd.DataFrame) -> pd.DataFrame:
    made = maps["method"].value_counts() if len(maps) else {}
    entries = [
        {**entry, "made": int(made[entry["method"]]), "note": "; ".join(entry["notes"]) or None}
        for entry in summary(rows)
    ]
    return pd.DataFrame(entries, columns=list(TABLES[SUMMARY].columns))
