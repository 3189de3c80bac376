"""What the classifier uses, by pictures that differ in one known thing, and how much of each map lies on that."""

from typing import Any

from xai_assets.evaluation.counterfactual_summary import ENERGY, FALL
from xai_assets.reporting import narrative
from xai_assets.reporting.numbers import in_order, records
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]

TITLES = {
    "part_removed": "the part that decides the class removed",
    "recoloured": "recoloured",
    "retextured": "another texture or material",
    "moved": "moved",
    "background_replaced": "the background replaced",
}


def counterfactuals(results: StudyResults) -> Row:
    """The section's data; no rows where the images are no scenes whose making is known.

    Returns:
        `rows` (one a change: `change`, `title`, `fall`: the row of the table `counterfactual_summary`, and `energy`: a
        row of it for each of the `methods`, or None), `methods`, `sentences` and `images`.
    """
    table = results.counterfactual_summary
    if not len(table):
        return {"rows": [], "methods": [], "sentences": [], "images": 0}
    falls = records(table[table["measure"] == FALL])
    of_methods = table[(table["measure"] == ENERGY) & (table["is_control"] == False)]  # noqa: E712 -- NULL is neither
    methods = in_order(of_methods["method"])
    energy = {(row["change"], row["method"]): row for row in records(of_methods)}
    rows: list[Row] = [
        {
            "change": fall["change"],
            "title": TITLES.get(fall["change"], fall["change"]),
            "fall": fall,
            "energy": [energy.get((fall["change"], method)) for method in methods],
        }
        for fall in falls
    ]
    return {
        "rows": rows,
        "methods": methods,
        "sentences": narrative.counterfactuals(rows),
        "images": max(row["fall"]["n"] for row in rows),
    }
