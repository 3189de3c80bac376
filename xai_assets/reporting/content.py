"""The content of each report: which chapters it has, as plain values. What is here is what `report.json` holds."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from xai_assets.reporting import names, narrative, overview
from xai_assets.reporting.checks import checks
from xai_assets.reporting.contrast import contrast
from xai_assets.reporting.counterfactuals import counterfactuals
from xai_assets.reporting.definitions import MODEL_MEASURES, TRIAL_TERMS, definitions
from xai_assets.reporting.doubts import doubts_of_answers
from xai_assets.reporting.drift import drift
from xai_assets.reporting.exclusions import exclusions
from xai_assets.reporting.faithfulness import faithfulness
from xai_assets.reporting.few_values import few_values
from xai_assets.reporting.gallery import gallery
from xai_assets.reporting.headline import headline
from xai_assets.reporting.inputs import inputs
from xai_assets.reporting.measures import agreement, cost, localization
from xai_assets.reporting.numbers import in_order, plain, records
from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.results import StudyResults
from xai_assets.reporting.robustness import robustness
from xai_assets.reporting.surrogates import surrogates
from xai_assets.reporting.trials import trials
from xai_assets.reporting.units import dissection
from xai_assets.reporting.verdict import verdict
from xai_assets.reporting.verification import verification

Row = dict[str, Any]

GALLERY_LIMIT = 24
GALLERY_IN_STUDY = 6

TITLES = {
    "dissection": "What the units have learned",
    "cam": "Where the model looked",
    "lime": "Which parts the prediction rests on",
    "comparison": "Models and methods compared",
    "study": "Study report",
}


def study_facts(results: StudyResults) -> Row:
    """The study's own words and the run's facts, with nothing where nothing was given."""
    study: Mapping[str, Any] = results.study
    return {
        "name": str(study["name"]),
        "title": str(study["title"]),
        "description": str(study.get("description") or ""),
        "seed": results.seed,
        "created": plain(study.get("created")),
        "command": plain(study.get("command")),
        "made_from": plain(study.get("made_from")),
        "layer": plain(study.get("layer")),
        "min_iou": plain(study.get("min_iou")),
        "lineage": [
            {
                "group": str(group),
                "facts": [{"name": str(name), "value": plain(value)} for name, value in facts.items()],
            }
            for group, facts in (study.get("lineage") or {}).items()
        ],
    }


def build(kind: str, results: StudyResults, pictures: Pictures) -> Row:
    """The report's content, JSON-able; `pictures` is filled with what it shows."""
    content = {
        "kind": kind,
        "kind_title": TITLES[kind],
        "study": study_facts(results),
        "facts": overview.facts(results),
        "limits": [*narrative.synthetic(results.study.get("synthetic") or ()), *overview.sample(results)],
        "quarantined": overview.quarantined(results),
        "left_out": overview.quarantined_by_reason(results),
        "said_of_images": overview.said_of_images(results),
        "asked_about": overview.asked_about(results),
        "accuracy": overview.accuracy(results),
        "doubts_of_answers": doubts_of_answers(results.prediction_summary),
        "checks": checks(results),
        "explained_model": _explained(results),
    }
    whole: Row = plain(content | _CHAPTERS[kind](results, pictures))
    whole["limits"] += few_values(whole)
    return whole


def _explained(results: StudyResults) -> Row | None:
    rows = records(results.predictions.head(1)) if len(results.predictions) else []
    return {"name": rows[0]["model"], "sha256": rows[0]["model_sha256"]} if rows else None


def _explained_by(results: StudyResults, methods: Iterable[str]) -> list[str]:
    """The methods to define: the usual four where they are meant, the others where they have maps."""
    made = set(results.maps["method"]) if len(results.maps) else set()
    external = ["external"] if any(names.external(key) for key in made) else []
    return [key for key in methods if key not in names.FURTHER_CAMS or key in made] + external


def _dissection(results: StudyResults, pictures: Pictures) -> Row:
    return {
        "dissection": dissection(results, pictures),
        "definitions": definitions(
            ["netdissect", "clip_dissect", "beyond_chance", "presence", "dead", "interval", "decision"]
        ),
    }


def _cam(results: StudyResults, pictures: Pictures) -> Row:
    return {
        "gallery": gallery(results, pictures, names.CAMS, limit=GALLERY_LIMIT),
        "localization": localization(results, names.CAMS),
        "cost": [row for row in cost(results) if row["key"] in names.CAMS],
        "definitions": definitions(
            [
                *_explained_by(results, names.CAMS),
                "mask",
                "average_precision",
                "iou",
                "iou_matched",
                "pointing",
                "energy",
                "controls",
                "interval",
                "decision",
            ]
        ),
    }


def _lime(results: StudyResults, pictures: Pictures) -> Row:
    return {
        "surrogates": surrogates(results, pictures, limit=GALLERY_LIMIT),
        "localization": localization(results, ("lime",)),
        "cost": [row for row in cost(results) if row["key"] == "lime"],
        "definitions": definitions(
            ["lime", "mask", "average_precision", "iou", "iou_matched", "controls", "interval", "decision"]
        ),
    }


def _comparison(results: StudyResults, _: Pictures) -> Row:
    tried = trials(results)
    return {
        "contrast": contrast(results),
        "agreement": agreement(results),
        "trials": tried,
        "drift": drift(results),
        "definitions": definitions(
            [
                "jaccard",
                "netdissect",
                "clip_dissect",
                "iou",
                "dice",
                "rank_correlation",
                *dict.fromkeys(row["key"] for row in tried["rows"] if row["key"] != "iou"),
                *(TRIAL_TERMS if tried["rows"] else ()),
                "interval",
                "decision",
            ]
        ),
    }


def _study(results: StudyResults, pictures: Pictures) -> Row:
    units = dissection(results, pictures)
    robust, tried = robustness(results), trials(results)
    explained = [*names.METHODS, *in_order(results.maps["method"])] if len(results.maps) else []
    return {
        "dissection": units,
        "contrast": contrast(results),
        "gallery": gallery(results, pictures, list(dict.fromkeys(explained)), limit=GALLERY_IN_STUDY),
        "localization": localization(results),
        "agreement": agreement(results),
        "faithfulness": faithfulness(results),
        "counterfactuals": counterfactuals(results),
        "robustness": robust,
        "trials": tried,
        "drift": drift(results),
        "exclusions": exclusions(results),
        "cost": cost(results),
        "verification": verification(results),
        "inputs": inputs(results),
        "predictions": records(results.predictions.drop(columns=["view"], errors="ignore")),
        "headline": headline(results),
        "verdict": [
            *verdict(results, words=overview.words(units), robustness=narrative.sanity(robust["rows"])),
            *tried["summary"],
        ],
        "definitions": definitions(
            [
                "netdissect",
                "clip_dissect",
                "beyond_chance",
                "presence",
                "dead",
                "jaccard",
                *_explained_by(results, names.METHODS),
                "mask",
                "average_precision",
                "iou",
                "iou_matched",
                "dice",
                "rank_correlation",
                "pointing",
                "energy",
                *(MODEL_MEASURES if len(results.metric_summary) else ()),
                *(TRIAL_TERMS if tried["rows"] else ()),
                "controls",
                "interval",
                "decision",
            ]
        ),
    }


_CHAPTERS: dict[str, Callable[[StudyResults, Pictures], Row]] = {
    "dissection": _dissection,
    "cam": _cam,
    "lime": _lime,
    "comparison": _comparison,
    "study": _study,
}
KINDS = tuple(_CHAPTERS)
"""The kinds of report, in the order in which they are made."""
