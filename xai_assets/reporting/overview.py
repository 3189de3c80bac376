"""The front of a report: what was analysed, the headline numbers, and the verdict that they carry."""

from typing import Any

from xai_assets.reporting import comparisons, names, narrative
from xai_assets.reporting.faithfulness import CHANCE
from xai_assets.reporting.numbers import in_order, plain, records
from xai_assets.reporting.results import StudyResults
from xai_assets.set_aside import REASONS, by_reason

Row = dict[str, Any]

ABOVE, SAME, BELOW, PLAIN = "above", "same", "below", "plain"
"""What a headline's interval says against its reference: clearly above, not told apart, clearly below, no reference."""

_OF_ANSWER = {"yes": narrative.WINS, "no": narrative.LOSES, "cannot_tell": narrative.UNDECIDED}


def facts(results: StudyResults, dissection: Row | None = None) -> list[Row]:
    """What was analysed: a list of `name` and `value`, only what the tables hold."""
    found: list[Row] = []
    images = results.images
    if len(images):
        good = int((images["status"] == "ok").sum())
        bad = len(images) - good
        found.append({"name": "images explained", "value": good})
        if bad:
            found.append({"name": "images quarantined", "value": bad})
    if len(results.predictions):
        found.append({"name": "classes explained", "value": len(results.predictions)})
    if len(results.maps):
        found.append({"name": "attribution maps", "value": len(results.maps)})
    if len(results.layer_summary):
        found.append({"name": "models dissected", "value": len(in_order(results.layer_summary["model"]))})
        found.append({"name": "units dissected", "value": int(results.layer_summary["units"].sum())})
    return found


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


def headline(localization: Row, agreement: Row, dissection: Row, faithfulness: Row) -> list[Row]:
    """The headline table: `metric`, `subject`, `value` (interval), `chance`, `direction`, `status`, `reading`."""
    rows: list[Row] = []
    for row in localization["rows"]:
        measured = row["values"]["average_precision"]
        if measured["value"] is None:
            continue
        outcomes = {
            item["control"]: item["outcome"]
            for item in localization["comparisons"]
            if item["method"] == row["key"]
        }
        status, reading = _against(outcomes) if not row["is_control"] else (PLAIN, "control")
        rows.append(
            _row(
                "Localisation: pixel average precision",
                row["key"],
                measured["value"],
                measured["chance"],
                status,
                reading,
            )
        )
    rows += _faithful(faithfulness)
    for pair in agreement["pairs"]:
        if pair["iou"] is not None:
            status, reading = _chance(comparisons.OUTCOMES[pair["answer"]])
            subject = f"{names.method(pair['method_a']).title} / {names.method(pair['method_b']).title}"
            rows.append(
                _row("Agreement of masks: IoU", subject, pair["iou"], pair["chance"], status, reading)
            )
    for model in dissection["models"]:
        last = model["layers"][-1] if model["layers"] else None
        if last is not None and last["presence"] is not None:
            value, chance = last["presence"], last["chance_presence"]
            shifted = (
                None
                if chance is None
                else {
                    key: None if value[key] is None else value[key] - chance if key != "n" else value[key]
                    for key in value
                }
            )
            status, reading = (
                _chance(narrative.outcome(shifted)) if chance is not None else (PLAIN, "no chance level")
            )
            rows.append(
                _row(
                    "Concepts: word truly present",
                    f"{model['name']} · {last['layer']}",
                    value,
                    chance,
                    status,
                    reading,
                )
            )
    return rows


def _faithful(faithfulness: Row) -> list[Row]:
    """The methods' rows of the chapter's headline, each read against the controls; the oracle is none."""
    rows: list[Row] = []
    for row in faithfulness["rows"]:
        value = row["cells"][0]
        if row["is_control"] or value is None:
            continue
        outcomes = {
            test["control"]: _OF_ANSWER[test["answer"]]
            for test in faithfulness["tests"]
            if test["method"] == row["key"]
        }
        column = faithfulness["columns"][0]
        metric = f"Faithfulness: {column['title'][0].lower()}{column['title'][1:]}, {column['variant']}"
        rows.append(_row(metric, row["key"], value, CHANCE, *_against(outcomes)))
    return rows


def _row(metric: str, subject: str, value: Row, chance: float | None, status: str, reading: str) -> Row:
    return {
        "metric": metric,
        "subject": subject,
        "value": plain(value),
        "chance": plain(chance),
        "direction": "higher is better" if metric != "Agreement of masks: IoU" else "higher is closer",
        "status": status,
        "reading": reading,
    }


def _against(outcomes: dict[str, str]) -> tuple[str, str]:
    if not outcomes:
        return PLAIN, "no control"
    if all(value == narrative.WINS for value in outcomes.values()):
        return ABOVE, {1: "beats the control", 2: "beats both controls"}.get(
            len(outcomes), f"beats all {len(outcomes)} controls"
        )
    lost = [names.method(key).title.lower() for key, value in outcomes.items() if value == narrative.LOSES]
    if lost:
        return BELOW, f"below {narrative.joined(lost)}"
    open_ = [
        names.method(key).title.lower() for key, value in outcomes.items() if value == narrative.UNDECIDED
    ]
    return SAME, f"not above {narrative.joined(open_)}"


def _chance(outcome: str) -> tuple[str, str]:
    return {narrative.WINS: (ABOVE, "above chance"), narrative.LOSES: (BELOW, "below chance")}.get(
        outcome, (SAME, "cannot be told from chance")
    )


def verdict(localization: Row, agreement: Row, dissection: Row, right: Row | None) -> list[str]:
    """Two to four sentences: do the maps show more than a guess, do they agree, are the words to be relied on."""
    sentences: list[str] = [narrative.accuracy(right)] if right is not None else []
    if localization["rows"]:
        sentences += localization["sentences"][:-1] or localization["sentences"]
    elif agreement["pairs"]:
        sentences.append("No image has a true mask, so nothing is said of where the maps ought to be.")
    if agreement["pairs"]:
        sentences.append(comparisons.span(agreement["pairs"]))
    sentences += narrative.presences(
        [
            {
                "label": f"{model['name']}, {model['layers'][-1]['layer']}",
                "value": model["layers"][-1]["presence"],
                "chance": model["layers"][-1]["chance_presence"],
            }
            for model in dissection["models"]
            if model["layers"]
        ]
    )
    return sentences or ["The study has no results to draw a conclusion from."]
