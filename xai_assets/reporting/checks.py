"""What the checks of the study's assets said, as a report shows it; a failed one that blocks makes it a draft."""

from typing import Any

from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]

READINGS = {"below": "failed", "same": "look at it", "ok": "passed", "plain": "not asked"}
OPEN = "cannot be told"
_COUNTED = {
    "passed": "passed",
    "failed": "failed",
    "look at it": "to look at",
    OPEN: "open",
    "not asked": "not asked",
}


def checks(results: StudyResults) -> Row:
    """The chapter's data: `rows` (those that failed first) and `draft`, the names of the blocking ones that failed.

    `counts` says how many have each `reading`. `open` has those that failed, cannot be told, or are to look at.

    `passed` has those that passed once more, folded: assets of which the same was asked are one entry (`assets`,
    `names`). `not_asked` has those that the study leaves out, folded by the reason (`said`, and `of` as in `passed`).

    `results.study["checks"]` has a row a check: `asset`, `name`, `passed` (None: not asked), `blocking`, `said`.
    """
    rows = [
        {
            "asset": str(row["asset"]),
            "name": str(row["name"]).replace("_", " "),
            "said": str(row["said"] or ""),
            "status": _status(row),
            "reading": _reading(row),
        }
        for row in results.study.get("checks") or ()
    ]
    order = {"below": 0, "same": 1, "ok": 2, "plain": 3}
    rows.sort(key=lambda row: (order[row["status"]], row["asset"], row["name"]))
    return {
        "rows": rows,
        "draft": [row["name"] for row in rows if row["status"] == "below"],
        "counts": [
            {"reading": word, "count": sum(row["reading"] == reading for row in rows)}
            for reading, word in _COUNTED.items()
            if rows
        ],
        "open": [row for row in rows if row["reading"] not in ("passed", "not asked")],
        "passed": _folded([row for row in rows if row["status"] == "ok"]),
        "not_asked": _by_reason([row for row in rows if row["reading"] == "not asked"]),
    }


def _status(row: Row) -> str:
    if row["passed"] is None:
        return "plain"
    return "ok" if row["passed"] else "below" if row["blocking"] else "same"


def _reading(row: Row) -> str:
    # A check that few images leave open was asked: its sentence says so.
    if row["passed"] is None and str(row["said"] or "").startswith("Cannot be told"):
        return OPEN
    return READINGS[_status(row)]


def _by_reason(left_out: list[Row]) -> list[Row]:
    of_reason: dict[str, list[Row]] = {}
    for row in left_out:
        of_reason.setdefault(row["said"].removeprefix("Not asked: "), []).append(row)
    return [{"said": said, "of": _folded(rows)} for said, rows in of_reason.items()]


def _folded(passed: list[Row]) -> list[Row]:
    of_asset: dict[str, list[str]] = {}
    for row in passed:
        of_asset.setdefault(row["asset"], []).append(row["name"])
    together: dict[tuple[str, ...], list[str]] = {}
    for asset, asked in of_asset.items():
        together.setdefault(tuple(asked), []).append(asset)
    return [{"assets": assets, "names": list(asked)} for asked, assets in together.items()]
