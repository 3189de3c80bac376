"""Checks of each method's maps: every case has one, it is what its row says, in the model's frame, and not blank."""

from collections.abc import Iterator

import numpy as np

from xai_assets.checks import rules
from xai_assets.checks.check import Check, Verdict
from xai_assets.resources.table import Table

MAP = ["method", *rules.CASE]

MOST_BLANK = 0.1
"""Share of a method's maps that may show nothing before its means are those of a selection."""

NONE = "the method"


ASKED = "asked"
"""The entry of the attributes of what is stored that lists the methods that have to have maps."""


def _covered(maps: Table, predictions: Table, stored: Table) -> Verdict:
    if not len(maps):
        return rules.left_out(NONE)
    from xai_assets.analysis.differences import differences, differs

    classes, both = rules.cases(predictions), rules.differing(differences(predictions))
    methods = list(dict.fromkeys([*maps["method"], *stored.attrs.get(ASKED, ())]))
    wanted = [(method, *case) for method in methods for case in classes + (both if differs(method) else [])]
    there = set(rules.questions(maps, MAP))
    missing = [one for one in wanted if one not in there]
    numbers = {
        "cases": len(classes),
        "differences": len(both),
        "methods": len(methods),
        "missing": len(missing),
    }
    if not missing:
        failures = f", and {len(both)} differences of a wrong answer and an expected class" if both else ""
        return Verdict(True, f"All {len(classes)} target classes have a map{failures}.", numbers)
    said = f"{len(missing)} of {len(wanted)} maps are missing: {rules.named_by_class(missing, predictions)}."
    remedy = "The step's log says why; comparisons leave these cases out."
    return Verdict(False, f"{said} {remedy}", numbers)


def _sound(maps: Table, predictions: Table, stored: Table) -> Verdict:
    if not len(maps):
        return rules.left_out(NONE)

    def problems() -> Iterator[str]:
        named = ["image_id", "target_index", "target_name"]
        other = sorted(set(rules.cases(maps, named)) - set(rules.cases(predictions, named)), key=str)
        if other:
            yield f"{rules.named(other)} explain no class of the table predictions"
        yield from rules.repeated(maps, [*MAP, *(["contrast_index"] if "contrast_index" in maps else [])])
        yield from rules.out_of_range(maps, {"density": rules.SHARE, "threshold": rules.SHARE})
        for column, what in {
            "finite": "values that are not finite",
            "as_said": "another range or mask than their row says",
            "framed": "another frame than what the model saw of the picture",
        }.items():
            bad = stored[~stored[column].astype(bool)]
            if len(bad):
                yield f"{rules.named(rules.questions(bad, MAP))} have {what}"

    return rules.sound(
        problems(),
        f"{len(maps)} maps are finite, as their rows say, of the predicted classes and in the model's frame.",
        "Delete these maps from the artifacts and materialise the asset again.",
        len(maps),
    )


def _few_blank(maps: Table, _: Table | None = None, stored: Table | None = None) -> Verdict:
    if not len(maps):
        return rules.left_out(NONE)
    nothing = (
        set() if stored is None else set(rules.questions(stored[~stored["explained"].astype(bool)], MAP))
    )
    without = np.array([case in nothing for case in rules.each_question(maps, MAP)])
    blank = maps[maps["constant"].astype(bool) | maps["density"].isin([0.0, 1.0]) | without]
    said = (
        f"{len(blank)} of {len(maps)} maps show nothing: one value only, a mask of all or no pixels, or a surrogate "
        "without anything to explain."
    )
    passed = len(blank) <= MOST_BLANK * len(maps)
    if not passed:
        named = rules.named(rules.questions(blank, MAP))
        said += f" {named}. Means are over the rest. {' '.join(_reasons(blank))}"
    return Verdict(passed, said, {"maps": len(maps), "blank": len(blank)})


def _reasons(blank: Table) -> Iterator[str]:
    external = blank["method"].str.startswith("external")
    if external.any():
        yield "Of other tools' maps look at the files: `threshold` in the study may not be in the map's own values."
    if (~external & (blank["method"] != "lime")).any():
        yield (
            "Of class activation maps look at the target layer: the score may not depend on it (`xai check` says so, and "
            "the step's problems), or its weighted values are all below 0."
        )
    if (blank["method"] == "lime").any():
        yield "Of LIME look at the step's problems: too few samples count, or the probability never changes."


COVERED = Check(
    "every_case_has_a_map",
    "Each target class of each picture has a map, so that methods are compared on the same cases.",
    _covered,
)
SOUND = Check(
    "maps_are_sound",
    "Each stored map is finite, has the range and mask of its row, the class of the predictions, and the frame of what "
    "the model saw: only then are pixels of two methods the same pixels.",
    _sound,
    blocking=True,
)
FEW_BLANK = Check("few_maps_are_blank", "At most a tenth of the maps show nothing.", _few_blank)
CHECKS = (COVERED, SOUND, FEW_BLANK)
