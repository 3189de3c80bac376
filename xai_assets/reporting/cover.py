"""The pictures of a report's first page: a few images with the model's answer and where it looked, or units, or masks."""

from collections.abc import Sequence
from typing import Any

from xai_assets.reporting import names
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]

ACROSS = 6
"""Pictures in a row."""

_NOTHING: Row = {"shown": [], "caption": ""}


def cover(kind: str, results: StudyResults, content: Row) -> Row:
    """`shown` (at most ACROSS: `pictures`, one above the other, `title` and `said`) and the `caption`.

    Only pictures that the report shows further on.
    """
    if kind in ("study", "cam"):
        return _maps(content["gallery"])
    if kind == "failures":
        return _maps({"images": [pair["failure"] for pair in content["failures"]["failures"]]})
    if kind == "lime":
        return _surrogates(content["surrogates"])
    if kind == "dissection":
        return _units(content["dissection"])
    if kind == "comparison":
        return _overlaps(content["agreement"]["overlaps"]["cases"])
    return _NOTHING


def telling(rows: Sequence[Row]) -> list[Row]:
    """Wrong answers first, then unsure ones, then the others; else in the order in which they come."""
    return sorted(rows, key=lambda row: (row["correct"] is not False, row.get("sure") is not False))


def answer(row: Row) -> str:
    """What the model says of an image, and whether that is right."""
    mark = {True: " ✓", False: " ×", None: ""}[row["correct"]]
    return f"{row['predicted_name']} {row['predicted_probability']:.0%}{mark}"


def _maps(gallery: Row) -> Row:
    items = []
    for image in telling(gallery["images"])[:ACROSS]:
        target = next(
            (of for of in image["targets"] if of["name"] == image["predicted_name"]), image["targets"][0]
        )
        drawn = next((of for of in target["maps"] if of is not None), None)
        if drawn is None:
            continue
        items.append(
            {
                "pictures": [target["original"] or target["picture"], drawn["picture"]],
                "title": answer(image),
                "said": f"labelled {image['labels']}" if image["correct"] is False else "",
                "method": drawn["method"],
            }
        )
    if not items:
        return _NOTHING
    methods = dict.fromkeys(names.method(item["method"]).title for item in items)
    caption = f"Above what the model was shown, below {' or '.join(methods)} for its answer: bright is much evidence."
    if any(item["title"].endswith("×") for item in items):
        caption += " Wrong answers first."
    return {"shown": items, "caption": caption}


def _surrogates(chapter: Row) -> Row:
    cases = list({case["image_id"]: case for case in reversed(chapter["cases"])}.values())[::-1]
    items = [
        {
            "pictures": [case["picture"], case["superpixels"] or case["overlay"]],
            "title": answer(case),
            "said": "" if case["name"] == case["predicted_name"] else f"explained: {case['name']}",
        }
        for case in telling(cases)[:ACROSS]
    ]
    caption = (
        "Above what the model was shown, below the superpixels that speak for the target class (purple) or against it "
        "(orange)."
    )
    return {"shown": items, "caption": caption} if items else _NOTHING


def _units(chapter: Row) -> Row:
    items: list[Row] = []
    for model in chapter["models"]:
        last = model["layers"][-1]["layer"] if model["layers"] else None
        cards = [card for card in model["cards"] if card["layer"] == last and len(card["pictures"]) > 1]
        for card in cards[: max(1, ACROSS // len(chapter["models"]))]:
            named = (card["pixels"] or {}).get("concept") or (card["words"] or {}).get("concept")
            items.append(
                {
                    "pictures": card["pictures"][:2],
                    "title": named or "",
                    "said": f"{model['name']}, {card['layer']}, unit {card['unit']}",
                }
            )
    caption = "The two pictures that drive each unit most; outlined is where it is above its threshold."
    return {"shown": items[:ACROSS], "caption": caption} if items else _NOTHING


def _overlaps(cases: Sequence[Row]) -> Row:
    """Of each image the two masks that agree least."""
    items = []
    for case in cases[:ACROSS]:
        known = [pair for pair in case["pairs"] if pair["iou"] is not None]
        if not known:
            continue
        least = min(known, key=lambda pair: pair["iou"])
        titles = " / ".join(names.method(least[of]).title for of in ("method_a", "method_b"))
        items.append(
            {
                "pictures": [case["picture"], least["picture"]],
                "title": f"{case['name']}: IoU {least['iou']:.2f}",
                "said": titles,
            }
        )
    caption = (
        "Above what the model was shown, below the two masks that agree least: blue the first alone, orange the second "
        "alone, yellow both."
    )
    return {"shown": items, "caption": caption} if items else _NOTHING
