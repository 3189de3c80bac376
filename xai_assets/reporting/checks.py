"""What the checks of the study's assets said, as a report shows it; a failed one that blocks makes it a draft."""

from typing import Any

from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]


def checks(results: StudyResults) -> Row:
    """The chapter's data: `rows` (those that failed first) and `draft`, the names of the blocking ones that failed.

    `passed` has those that passed once more, folded: assets of which the same was asked stand together (`assets`,
    `names`).

    `results.study["checks"]` has a row a check: `asset`, `name`, `passed`, `blocking`, `said`.
    """
    rows = [
        {
            "asset": str(row["asset"]),
            "name": str(row["name"]).replace("_", " "),
            "said": str(row["said"] or ""),
            "status": "ok" if row["passed"] else "below" if row["blocking"] else "same",
            "reading": "passed" if row["passed"] else "failed" if row["blocking"] else "look at it",
        }
        for row in results.study.get("checks") or ()
    ]
    order = {"below": 0, "same": 1, "ok": 2}
    rows.sort(key=lambda row: (order[row["status"]], row["asset"], row["name"]))
    return {
        "rows": rows,
        "draft": [row["name"] for row in rows if row["status"] == "below"],
        "passed": _folded([row for row in rows if row["status"] == "ok"]),
    }


def _folded(passed: list[Row]) -> list[Row]:
    of_asset: dict[str, list[str]] = {}
    for row in passed:
        of_asset.setdefault(row["asset"], []).append(row["name"])
    together: dict[tuple[str, ...], list[str]] = {}
    for asset, asked in of_asset.items():
        together.setdefault(tuple(asked), []).append(asset)
    return [{"assets": assets, "names": list(asked)} for asked, assets in together.items()]
