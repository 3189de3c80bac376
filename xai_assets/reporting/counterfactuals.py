"""What the classifier uses, by pictures that differ in one known thing, and how much of each map lies on that."""

from typing import Any

from xai_assets.reporting import narrative
from xai_assets.reporting.numbers import by_image, in_order, interval, mean
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
        `rows` (one a change: `title`, `fall`, `area`, and of each of the `methods` its `energy`), `methods`, `sentences`
        and `images`.
    """
    table = results.counterfactuals
    table = table[~table["is_control"].astype(bool)] if len(table) else table
    if not len(table):
        return {"rows": [], "methods": [], "sentences": [], "images": 0}
    methods = in_order(table["method"])
    rows = []
    for change in in_order(table["change"]):
        of = table[table["change"] == change]
        once = of.drop_duplicates(
            ["image_id", "target_index"]
        )  # the fall is the model's, whatever the method
        rows.append(
            {
                "change": change,
                "title": TITLES.get(change, change),
                "fall": interval(by_image(once, "fall")),
                "area": mean(once["area"]),
                "energy": [mean(by_image(of[of["method"] == method], "energy")) for method in methods],
            }
        )
    images = len(in_order(table["image_id"]))
    return {
        "rows": rows,
        "methods": methods,
        "sentences": narrative.counterfactuals(rows),
        "images": images,
    }
