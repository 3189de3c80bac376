"""The front of a report: what was analysed, the headline numbers, and the verdict that they carry."""

from typing import Any

from xai_assets.reporting import concept_sentences, names
from xai_assets.reporting.narrative import count, joined
from xai_assets.reporting.numbers import in_order, plain, records
from xai_assets.reporting.results import StudyResults
from xai_assets.set_aside import REASONS, by_reason

Row = dict[str, Any]

_MEASURES = {
    "faithfulness": "faithfulness",
    "difference_faithfulness": "the faithfulness of differences",
    "robustness": "robustness",
}


def facts(results: StudyResults, kind: str) -> list[Row]:
    """What was analysed, as far as the report is of it: a list of `name` and `value`, only what the tables hold."""
    found: list[Row] = []
    images = results.images
    if kind != "dissection" and len(images):
        good = int((images["status"] == "ok").sum())
        if (explained := _explained_of(results)) is not None:
            found.append({"name": "images classified", "value": good})
            found.append({"name": "images explained", "value": explained})
        else:
            found.append({"name": "images explained", "value": good})
        if bad := len(images) - good:
            found.append({"name": "images quarantined", "value": bad})
    if kind == "failures" and len(results.answers):
        found.append({"name": "wrong answers", "value": int(results.answers["error_rank"].notna().sum())})
        if len(results.suspected_labels):
            found.append({"name": "suspected labels", "value": len(results.suspected_labels)})
    elif kind != "dissection" and len(results.predictions):
        found.append({"name": "classes explained", "value": len(results.predictions)})
    if kind in ("study", "comparison") and len(results.maps):
        found.append({"name": "attribution maps", "value": len(results.maps)})
    if kind in ("study", "comparison", "dissection") and len(results.layer_summary):
        found.append({"name": "models dissected", "value": len(in_order(results.layer_summary["model"]))})
        found.append({"name": "units dissected", "value": int(results.layer_summary["units"].sum())})
    return found


def _explained_of(results: StudyResults) -> int | None:
    """The number of images that are explained where these are a sample of those that are classified."""
    return int(results.predictions["image_id"].nunique()) if len(results.explained_sample) else None


def asked_about(results: StudyResults) -> int:
    """How many images the explained model has classified."""
    return int(results.prediction_summary["images"].max()) if len(results.prediction_summary) else 0


def sample(results: StudyResults) -> list[str]:
    """Which of the classified images are explained and what a mean over their maps is of; nothing where all are."""
    table = results.explained_sample
    if not len(table):
        return []
    of = {reason: int((table["reason"] == reason).sum()) for reason in ("failure", "success", "random")}
    parts = [
        count(of["failure"], "failure") if of["failure"] else "",
        f"{count(of['success'], 'right answer')} matched to {'it' if of['failure'] == 1 else 'them'}"
        if of["success"]
        else "",
        f"{of['random']} drawn from all" if of["random"] else "",
    ]
    images = count(int(table["image_id"].nunique()), "image")
    said = f"Explained is a sample of {images}: {joined([part for part in parts if part])}."
    if of["failure"]:
        said += " It has more failures than all images have: means over its maps are of the sample."
    return [said]


def accuracy(results: StudyResults) -> Row | None:
    """How often the model is right: `right` of `n`, and `share` with its interval; None where no image is labelled."""
    for row in records(results.prediction_summary):
        if row["labelled"]:
            share = {"mean": row["accuracy"], "low": row["low"], "high": row["high"], "n": row["n"]}
            return {"right": row["correct"], "n": row["labelled"], "share": share}
    return None


def quarantined(results: StudyResults) -> list[Row]:
    """The images that were set aside, with the reason and the remedy: all of them."""
    if not len(results.images):
        return []
    return [
        {"image_id": row["image_id"], "source": row.get("source"), "reason": row["reason"]}
        for row in records(results.images[results.images["status"] == "quarantined"])
    ]


def quarantined_by_reason(results: StudyResults) -> Row:
    """The same for a page, which does not grow with their number.

    Returns:
        `images` (how many), `groups` (`reason`, `count`, `listed`: the first names; `alike`: whether the reason is
        the same to the letter for all), and `more` and `more_reasons`: images and reasons that are not listed.
    """
    rows = quarantined(results)
    groups = by_reason((str(row["image_id"]), str(row["reason"] or "no reason was recorded")) for row in rows)
    shown, rest = groups[:REASONS], groups[REASONS:]
    return {
        "images": len(rows),
        "groups": [
            {"reason": group.reason, "count": group.count, "listed": group.listed, "alike": group.alike}
            for group in shown
        ],
        "more": sum(group.count for group in rest),
        "more_reasons": len(rest),
    }


def said_of_images(results: StudyResults) -> list[str]:
    """What the steps that read the images and ask the model said, such as files that were left out."""
    return [
        str(row["said"])
        for row in results.study.get("problems") or ()
        if row["asset"] in ("images", "predictions")
    ]


def words(dissection: Row) -> list[str]:
    """Whether the words of each model's last layer are truly in the images that drive its units, and what bids care."""
    said = concept_sentences.presences(
        [
            {
                "label": f"{model['name']}, {model['layers'][-1]['layer']}",
                "row": model["layers"][-1]["presence"],
            }
            for model in dissection["models"]
            if model["layers"]
        ]
    )
    return [*said, *dict.fromkeys(doubt for model in dissection["models"] for doubt in model["doubts"])]


def left_out_measures(results: StudyResults) -> list[str]:
    """What the study's budgets left out, a sentence a measure."""
    said: dict[tuple[str, str], list[str]] = {}
    for row in records(results.left_out):
        of = f"{names.method(row['method']).title} {row['maps']} of {row['asked']} maps"
        said.setdefault((row["measure"], row["reason"]), []).append(of)
    return [
        f"Left out of {_MEASURES[measure]}, since the {reason} was used up: {', '.join(methods)}. "
        "The next run goes on where this one stopped."
        for (measure, reason), methods in said.items()
    ]


def binarisation(results: StudyResults) -> str:
    """How maps become masks, with its value: "fixed at 0.5", or "otsu"; "" without maps."""
    if not len(results.maps):
        return ""
    pairs = results.maps.reindex(columns=["policy", "policy_value"]).drop_duplicates().to_dict("records")
    said = [
        str(row["policy"]) + ("" if plain(row["policy_value"]) is None else f" at {row['policy_value']:g}")
        for row in pairs
    ]
    return ", ".join(said)
