"""Which terms a report defines: those that it uses, in the order of the study."""

from collections.abc import Iterable, Iterator
from typing import Any

from xai_assets.reporting import names
from xai_assets.reporting.definitions import MODEL_MEASURES, TRIAL_TERMS
from xai_assets.reporting.few_values import intervals
from xai_assets.reporting.outline import chapters

Row = dict[str, Any]

_ROBUST = ("max_sensitivity", "noise_floor", "redrawn", "randomisation_similarity")


def terms(kind: str, content: Row) -> list[str]:
    """Keys of `definitions.DEFINITIONS`, each once.

    Args:
        kind: of the report.
        content: what it holds, with its chapters.
    """
    own = {part["template"] for part in chapters(kind, content)}
    found = [key for chapter, of in _OF_CHAPTERS for key in (of(content) if chapter in own else ())]
    if any(of["low"] is not None for of in intervals(content)):
        found.append("interval")
    if any(_answers(content)):
        found.append("decision")
    return list(dict.fromkeys(found))


def _units(content: Row) -> Iterator[str]:
    layers = [layer for model in content["dissection"]["models"] for layer in model["layers"]]
    if any(layer["detectors"] is not None for layer in layers):
        yield "netdissect"
    if any(layer["clip_unique"] for layer in layers):
        yield "clip_dissect"
    if any(layer["words_beyond"] or layer["labels_beyond"] for layer in layers):
        yield "beyond_chance"
    if any(layer["presence"] for layer in layers):
        yield "presence"
    if any(layer["dead"] for layer in layers):
        yield "dead"


def _models(content: Row) -> Iterator[str]:
    yield "jaccard"
    if "dissection" not in content:
        yield "netdissect" if "pixel" in content["contrast"]["source"] else "clip_dissect"
        yield "beyond_chance"


def _gallery(content: Row) -> Iterator[str]:
    yield from (key for key in content["gallery"]["methods"] if key in names.METHODS)
    if any(names.external(key) for key in content["gallery"]["methods"]):
        yield "external"
    yield from _difference(target for image in content["gallery"]["images"] for target in image["targets"])
    yield "mask"


def _surrogates(content: Row) -> Iterator[str]:
    yield "lime"
    yield from _difference(content["surrogates"]["cases"])
    yield "mask"


def _difference(shown: Iterable[Row]) -> Iterator[str]:
    """The term of the difference of two classes, where one is shown."""
    if any(of["contrast"] for of in shown):
        yield "difference"


def _localization(content: Row) -> Iterator[str]:
    yield from ("average_precision", "iou", "iou_matched", "pointing", "energy", "controls")


def _agreement(content: Row) -> Iterator[str]:
    yield from ("mask", "iou", "iou_matched", "dice", "rank_correlation")


def _faithfulness(content: Row) -> Iterator[str]:
    measured = {column["key"] for column in content["faithfulness"]["columns"]}
    yield from (key for key in MODEL_MEASURES if key in measured)
    if content["faithfulness"]["rows"]:
        yield "controls"


def _robustness(content: Row) -> Iterator[str]:
    yield from _ROBUST
    yield from (row["metric"] for row in content["robustness"]["lime"])


def _trials(content: Row) -> Iterator[str]:
    yield from TRIAL_TERMS
    yield from (row["key"] for row in content["trials"]["rows"])


def _performance(content: Row) -> Iterator[str]:
    if content["performance"]["calibration"]:
        yield "ece"


def _classes(content: Row) -> Iterator[str]:
    yield "recall"


def _suspected(content: Row) -> Iterator[str]:
    yield "suspected"


def _evidence(content: Row) -> Iterator[str]:
    yield "evidence"


def _failures(content: Row) -> Iterator[str]:
    yield "sample"
    yield from (key for key in content["failures"]["methods"] if key in names.METHODS)
    shown = [row["failure"] for row in content["failures"]["failures"]]
    yield from _difference(target for image in shown for target in image["targets"])
    yield "mask"


_OF_CHAPTERS = (
    ("performance", _performance),
    ("classes", _classes),
    ("suspected", _suspected),
    ("evidence", _evidence),
    ("failures", _failures),
    ("gallery", _gallery),
    ("surrogates", _surrogates),
    ("localization", _localization),
    ("agreement", _agreement),
    ("faithfulness", _faithfulness),
    ("robustness", _robustness),
    ("trials", _trials),
    ("units", _units),
    ("models", _models),
)


def _answers(content: Any) -> Iterator[bool]:
    """Whether a decision was asked for, of everything that has an `answer`."""
    if isinstance(content, dict):
        if "answer" in content:
            yield content["answer"] is not None
        for value in content.values():
            yield from _answers(value)
    elif isinstance(content, list):
        for value in content:
            yield from _answers(value)
