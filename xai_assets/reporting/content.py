"""The content of each report: which chapters it has, as plain values. What is here is what `report.json` holds."""

from collections.abc import Callable, Mapping
from typing import Any

from xai_assets.reporting import names, narrative, overview
from xai_assets.reporting.checks import checks
from xai_assets.reporting.contrast import contrast
from xai_assets.reporting.cost import cost
from xai_assets.reporting.counterfactuals import counterfactuals
from xai_assets.reporting.cover import cover
from xai_assets.reporting.definitions import definitions
from xai_assets.reporting.drift import drift
from xai_assets.reporting.evidence import evidence
from xai_assets.reporting.exclusions import exclusions
from xai_assets.reporting.failures import explained_failures, wrong_answers
from xai_assets.reporting.faithfulness import difference_faithfulness, faithfulness
from xai_assets.reporting.few_values import few_values
from xai_assets.reporting.gallery import gallery
from xai_assets.reporting.headline import headline
from xai_assets.reporting.inputs import inputs
from xai_assets.reporting.mask_overlaps import image_by_image, mask_overlaps
from xai_assets.reporting.measures import agreement, localization
from xai_assets.reporting.numbers import in_order, plain, records
from xai_assets.reporting.outline import absent, chapters
from xai_assets.reporting.performance import confusion, performance
from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.provenance import provenance
from xai_assets.reporting.results import StudyResults
from xai_assets.reporting.robustness import robustness
from xai_assets.reporting.several_models import several_models
from xai_assets.reporting.summary import summary
from xai_assets.reporting.surrogates import surrogates
from xai_assets.reporting.suspected import suspected
from xai_assets.reporting.terms import terms
from xai_assets.reporting.trials import trials
from xai_assets.reporting.units import dissection
from xai_assets.reporting.verification import verification

Row = dict[str, Any]

GALLERY_LIMIT = 24
GALLERY_IN_STUDY = 6

TITLES = {
    "dissection": "What the units have learned",
    "cam": "Where the model looked",
    "lime": "Which parts the prediction rests on",
    "comparison": "Models and methods compared",
    "failures": "What the model gets wrong",
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
        "yaml": plain(study.get("yaml")),
        "binarisation": overview.binarisation(results),
    }


def build(kind: str, results: StudyResults, pictures: Pictures) -> Row:
    """The report's content, JSON-able; `pictures` is filled with what it shows."""
    own = plain(_CHAPTERS[kind](results, pictures))
    used = [key for key in in_order(results.maps["method"]) if _shows(kind, key)] if len(results.maps) else []
    content: Row = plain(
        own
        | {
            "kind": kind,
            "kind_title": TITLES[kind],
            "study": study_facts(results),
            "elsewhere": [name for name in _elsewhere(results) if name != kind],
            "limits": [
                *narrative.synthetic(kind, results.study.get("synthetic") or ()),
                *(overview.sample(results) if kind != "dissection" else ()),
                *([effort] if (effort := results.study.get("effort")) else []),
                *overview.left_out_measures(results),
            ],
            "quarantined": overview.quarantined(results),
            "left_out": overview.quarantined_by_reason(results),
            "said_of_images": overview.said_of_images(results),
            "asked_about": overview.asked_about(results),
            "accuracy": overview.accuracy(results),
            "checks": checks(results),
            "facts": overview.facts(results, kind),
            "verdict": summary(kind, results, own),
            "provenance": provenance(kind, results, used),
        }
    )
    content["cover"] = cover(kind, results, content)
    content["chapters"] = chapters(kind, content)
    content["absent"] = absent(kind, content)
    content["definitions"] = definitions(terms(kind, content))
    content["limits"] += few_values(content)
    return content


def _ran(step: Mapping[str, Any]) -> bool:
    """Whether a step had anything to do: one that the study does not ask for has no results, or no time."""
    return step["seconds"] is not None and (step["computed"], step["reused"]) != (0, 0)


def _shows(kind: str, method: str) -> bool:
    """Whether a report of the kind shows maps of the method."""
    if kind == "cam":
        return method in names.CAMS
    return method == "lime" if kind == "lime" else kind != "dissection"


def _elsewhere(results: StudyResults) -> list[str]:
    """The reports that the study makes: what one of them has in full is brief in the others."""
    return [str(name) for name in results.study.get("reports") or ()]


def _agreement(results: StudyResults, pictures: Pictures, *, drawn: bool) -> Row:
    found = agreement(results)
    overlaps = mask_overlaps(results, pictures, found["pairs"]) if drawn else {"rule": "", "cases": []}
    return found | {"image_by_image": image_by_image(results, found["pairs"]), "overlaps": overlaps}


def _dissection(results: StudyResults, pictures: Pictures) -> Row:
    return {"dissection": dissection(results, pictures)}


def _cam(results: StudyResults, pictures: Pictures) -> Row:
    return {
        "gallery": gallery(results, pictures, names.CAMS, limit=GALLERY_LIMIT),
        "localization": localization(results, names.CAMS),
        "cost": [row for row in cost(results) if row["key"] in names.CAMS],
    }


def _lime(results: StudyResults, pictures: Pictures) -> Row:
    return {
        "surrogates": surrogates(results, pictures, limit=GALLERY_LIMIT),
        "localization": localization(results, ("lime",)),
        "cost": [row for row in cost(results) if row["key"] == "lime"],
    }


def _comparison(results: StudyResults, pictures: Pictures) -> Row:
    return {
        "several_models": several_models(results, pictures, limit=GALLERY_LIMIT),
        "contrast": contrast(results),
        "agreement": _agreement(results, pictures, drawn=True),
        "trials": trials(results),
        "drift": drift(results),
    }


def _failures(results: StudyResults, pictures: Pictures) -> Row:
    return {
        "performance": performance(results),
        "confusion": confusion(results),
        "wrong": wrong_answers(results, pictures),
        "suspected": suspected(results, pictures),
        "evidence": evidence(results),
        "failures": explained_failures(results, pictures),
    }


def _study(results: StudyResults, pictures: Pictures) -> Row:
    explained = [*names.METHODS, *in_order(results.maps["method"])] if len(results.maps) else []
    return {
        "dissection": dissection(results, pictures),
        "several_models": several_models(results, pictures, limit=GALLERY_IN_STUDY),
        "contrast": contrast(results),
        "gallery": gallery(results, pictures, list(dict.fromkeys(explained)), limit=GALLERY_IN_STUDY),
        "localization": localization(results),
        "agreement": _agreement(results, pictures, drawn="comparison" not in _elsewhere(results)),
        "faithfulness": faithfulness(results),
        "difference_faithfulness": difference_faithfulness(results),
        "counterfactuals": counterfactuals(results),
        "robustness": robustness(results),
        "trials": trials(results),
        "drift": drift(results),
        "exclusions": exclusions(results),
        "cost": cost(results),
        "steps": [dict(step) for step in results.study.get("steps") or () if _ran(step)],
        "verification": verification(results),
        "inputs": inputs(results),
        "predictions": records(results.predictions.drop(columns=["view"], errors="ignore")),
        "headline": headline(results),
    }


_CHAPTERS: dict[str, Callable[[StudyResults, Pictures], Row]] = {
    "dissection": _dissection,
    "cam": _cam,
    "lime": _lime,
    "comparison": _comparison,
    "failures": _failures,
    "study": _study,
}
KINDS = tuple(_CHAPTERS)
"""The kinds of report, in the order in which they are made."""
