"""The first page's verdict of each kind of report: of the model first, then of the maps, units and metrics."""

from collections.abc import Callable, Iterable
from typing import Any

from xai_assets.reporting import names, narrative, overview, verdict
from xai_assets.reporting.doubts import doubts_of_answers
from xai_assets.reporting.numbers import records
from xai_assets.reporting.performance_sentences import NO_LABELS, in_short
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]
Groups = Iterable[tuple[str, list[str]]]


def summary(kind: str, results: StudyResults, content: Row) -> list[Row]:
    """Groups of sentences: `about` and `sentences`; none that is empty.

    Args:
        kind: of the report.
        results: of the study.
        content: the chapters' data.
    """
    return [{"about": about, "sentences": said} for about, said in _OF_KINDS[kind](results, content) if said]


def _study(results: StudyResults, content: Row) -> Groups:
    yield "The model", verdict.model(results)
    yield "Several models", _several(content)
    yield "The maps", verdict.maps(results, robustness=narrative.sanity(content["robustness"]["rows"]))
    yield "The units", overview.words(content["dissection"])
    yield "The metrics", content["trials"]["summary"]


def _cam(results: StudyResults, content: Row) -> Groups:
    yield "The model", verdict.model(results)
    yield "The maps", content["localization"]["sentences"] or _agree(results, names.CAMS)


def _agree(results: StudyResults, methods: Iterable[str]) -> list[str]:
    """How far the masks of these methods agree, of which no truth is known."""
    rows = [
        row
        for row in records(results.headline)
        if row["section"] == "agreement" and {row["subject"], row["other"]} <= set(methods)
    ]
    return [verdict.agreement(rows)] if rows else []


def _lime(results: StudyResults, content: Row) -> Groups:
    yield "The model", verdict.model(results)
    yield "The maps", content["localization"]["sentences"]
    fit = [row for row in content["surrogates"]["fit"] if row["r2"] is not None]
    if fit:
        worst, best = min(fit, key=lambda row: row["r2"]), max(fit, key=lambda row: row["r2"])
        yield (
            "The surrogates",
            [
                f"They fit with an R² from {worst['r2']:.2f} ({worst['image_id']}, {worst['target_name']}) to "
                f"{best['r2']:.2f} ({best['image_id']}, {best['target_name']})."
            ],
        )


def _several(content: Row) -> list[str]:
    """Of the first model and each later one, which is right more often, and on how many images answers differ."""
    found = content["several_models"]
    with_first = [pair for pair in found["pairs"] if pair["a"] == found["models"][0]["name"]]
    return [sentence for pair in with_first for sentence in pair["sentences"][:2]]


def _comparison(_: StudyResults, content: Row) -> Groups:
    yield "Several models", _several(content)
    yield "The methods", [content["agreement"]["sentence"]] if content["agreement"]["pairs"] else []
    yield (
        "The models",
        [sentence for pair in content["contrast"]["pairs"] for sentence in pair["sentences"][:2]],
    )
    yield "The metrics", content["trials"]["summary"]


def _failures(results: StudyResults, content: Row) -> Groups:
    found = content["performance"]
    said = in_short(found, content["confusion"]) if found else [NO_LABELS]
    yield "The model", [*said, *doubts_of_answers(results.prediction_summary)]
    yield "The labels", content["suspected"]["sentences"]
    yield "The evidence", content["evidence"]["sentences"]


def _dissection(_: StudyResults, content: Row) -> Groups:
    for model in content["dissection"]["models"]:
        yield model["name"], [*model["sentences"][-2:], *model["doubts"]]


_OF_KINDS: dict[str, Callable[[StudyResults, Row], Groups]] = {
    "dissection": _dissection,
    "cam": _cam,
    "lime": _lime,
    "comparison": _comparison,
    "failures": _failures,
    "study": _study,
}
