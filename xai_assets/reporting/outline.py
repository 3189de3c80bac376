"""Which chapters a report has: those that its study has something for. What it lacks is said in one sentence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Chapter:
    """A chapter of a report, written by the macro `chapter` of `chapters/<template>.html`.

    Attributes:
        id: its anchor.
        title: its heading.
        there: whether the report's content has anything for it.
        lacks: what the study lacks where it is left out, such as "no unit was dissected"; "" where that says nothing.
        template: the name of its template; "" where it is the anchor.
        brief: its sentences stand in the summary on the first page, and are not said again.
        each: the titles, where there is such a chapter for each of several models.
    """

    id: str
    title: str
    there: Callable[[Row], bool]
    lacks: str = ""
    template: str = ""
    brief: bool = False
    each: Callable[[Row], list[str]] | None = None


def _has(*path: str) -> Callable[[Row], bool]:
    def there(content: Row) -> bool:
        found: Any = content
        for name in path:
            found = (found or {}).get(name)
        return bool(found)

    return there


def _data(content: Row) -> bool:
    return bool(content["predictions"] or content["inputs"])


def _of_classes(content: Row) -> bool:
    return bool(content["performance"] and content["confusion"]["names"])


def _dissected(content: Row) -> list[str]:
    return [str(model["name"]) for model in content["dissection"]["models"]]


_NO_TRUTH = "no true mask is known of a target class"
_NO_PAIR = "fewer than two methods explained the same class of an image"
_NO_MODELS = "fewer than two models were dissected"
_NO_LABELS = "no image has a label that the model has"
_NO_CLASSES = "no image has exactly one such label"
_NO_MISTAKE = "no answer is known to be wrong"
_NO_TRIALS = "the metrics themselves were not put to the test, which takes drawn scenes"

SEVERAL = "Several models on the same images"

OUTLINES: Mapping[str, tuple[Chapter, ...]] = {
    "study": (
        Chapter("predictions", "Data, models and predictions", _data, "no image was explained"),
        Chapter("several_models", SEVERAL, _has("several_models", "models"), brief=True),
        Chapter("gallery", "Where the model looked", _has("gallery", "images"), "no attribution map was made"),
        Chapter("localization", "Against the truth", _has("localization", "rows"), _NO_TRUTH),
        Chapter("agreement", "Agreement of the methods", _has("agreement", "pairs"), _NO_PAIR),
        Chapter(
            "faithfulness",
            "Faithfulness to the model",
            lambda content: bool(content["faithfulness"]["rows"] or content["counterfactuals"]["rows"]),
            "faithfulness was not measured",
        ),
        Chapter("robustness", "Robustness and sanity", _has("robustness", "rows"), "robustness was not measured"),
        Chapter("trials", "Testing the metrics themselves", _has("trials", "rows"), _NO_TRIALS),
        Chapter("units", "What the units have learned", _has("dissection", "models"), "no unit was dissected"),
        Chapter("models", "The models compared", _has("contrast", "pairs"), _NO_MODELS),
        Chapter("drift", "What has changed", _has("drift", "rows")),
        Chapter("cost", "Cost", _has("cost")),
        Chapter("exclusions", "Exclusions and failures", _data),
    ),
    "cam": (
        Chapter("gallery", "The explained images", _has("gallery", "images"), "no class activation map was made"),
        Chapter(
            "localization", "Methods against the truth", _has("localization", "rows"), _NO_TRUTH, brief=True
        ),
        Chapter("cost", "Cost", _has("cost")),
        Chapter("left_out", "Images left out", lambda of: bool(of["left_out"]["images"] or of["said_of_images"])),
    ),
    "lime": (
        Chapter(
            "surrogates", "The explained images", _has("surrogates", "cases"), "no LIME explanation was made"
        ),
        Chapter("localization", "LIME against the truth", _has("localization", "rows"), _NO_TRUTH, brief=True),
        Chapter("cost", "Cost", _has("cost")),
        Chapter("left_out", "Images left out", lambda of: bool(of["left_out"]["images"] or of["said_of_images"])),
    ),
    "failures": (
        Chapter("performance", "How often the model is right", _has("performance"), _NO_LABELS),
        Chapter("confusion", "What it takes for what", _of_classes, _NO_CLASSES),
        Chapter("classes", "Class by class", _of_classes),
        Chapter("suspected", "Labels that may be wrong", _has("suspected", "rows")),
        Chapter("mistakes", "The surest and the least sure mistakes", _has("wrong", "all"), _NO_MISTAKE),
        Chapter("evidence", "Where the evidence lies", _has("evidence", "methods"), "the object of no image is known"),
        Chapter("failures", "The mistakes explained", _has("failures", "failures"), "no wrong answer was explained"),
        Chapter("left_out", "Images left out", lambda of: bool(of["left_out"]["images"] or of["said_of_images"])),
    ),
    "comparison": (
        Chapter("several_models", SEVERAL, _has("several_models", "models"), brief=True),
        Chapter(
            "agreement", "The methods, mask by mask", _has("agreement", "pairs"), _NO_PAIR, brief=True
        ),
        Chapter("models", "Two models, concept by concept", _has("contrast", "pairs"), _NO_MODELS, brief=True),
        Chapter("trials", "Testing the metrics themselves", _has("trials", "rows"), _NO_TRIALS),
        Chapter("drift", "This run and the one before", _has("drift", "rows")),
    ),
    "dissection": (
        Chapter(
            "units", "", _has("dissection", "models"), "no unit was dissected", brief=True, each=_dissected
        ),
    ),
}  # fmt: skip
"""By the kind of report. A chapter of another part of the platform is one record here and one template."""


def chapters(kind: str, content: Row) -> list[Row]:
    """The chapters that the report has, in order: `id`, `title`, `template`, `brief`, `at` and `last`.

    `at` counts those of one kind (None where there is one only), `last` is true of the last of them.
    """
    found = []
    for of in OUTLINES[kind]:
        if not of.there(content):
            continue
        one = {"id": of.id, "title": of.title, "template": of.template or of.id, "brief": of.brief}
        if of.each is None:
            found.append(one | {"at": None, "last": True})
            continue
        titles = of.each(content)
        found += [
            one | {"id": f"{of.id}-{at + 1}", "title": title, "at": at, "last": at == len(titles) - 1}
            for at, title in enumerate(titles)
        ]
    return found


def absent(kind: str, content: Row) -> str:
    """What the study has nothing of, in one sentence; "" where nothing is left out."""
    lacking = list(dict.fromkeys(of.lacks for of in OUTLINES[kind] if of.lacks and not of.there(content)))
    return f"Not in this report: {'; '.join(lacking)}." if lacking else ""
