"""Checks of where the evidence for the model's answers lies."""

from collections.abc import Iterator

from xai_assets.checks import rules
from xai_assets.checks.check import Check, Verdict, cannot_be_told
from xai_assets.checks.evaluation import REMEDY, decided
from xai_assets.resources.table import Table

REGIONS = ("object", "context", "elsewhere")
OF_ALL = {name: rules.SHARE for region in REGIONS for name in (region, f"{region}_chance")}


def _sound(places: Table, *_: Table) -> Verdict:
    def problems() -> Iterator[str]:
        yield from rules.repeated(places, ["method", *rules.CASE])
        yield from rules.out_of_range(places, OF_ALL)
        total = places["object"] + places["context"] + places["elsewhere"].fillna(0)
        off = (total - 1).abs() > rules.ROUNDING
        if off.any():
            yield f"maps whose shares do not add up to 1: {int(off.sum())}"

    return rules.sound(problems(), "Each map stands once, and its shares add up to 1.", REMEDY, len(places))


def _on_object(places: Table, *others: Table) -> Verdict:
    """Of `evidence_tests`, the answers about the object, against the same methods' maps of other images and a margin."""
    tests = others[-1]
    asked = tests[tests["question"] == "on_object"] if len(places) else places
    if not len(asked):
        return rules.left_out("the place of the evidence")
    return decided(
        asked,
        "method",
        "lie on the object more than those of other images do, by a tenth of what is left to 1,",
        "the evidence for the answers lies on the background, or anywhere",
    )


def _right_and_wrong(places: Table, *others: Table) -> Verdict:
    """Of `evidence_tests`, whether right and wrong answers have their evidence at different places."""
    tests = others[-1]
    asked = tests[tests["question"] == "answers"] if len(places) else places
    known = places["correct"].notna() if len(places) else places
    if not len(known) or not known.any():
        return rules.left_out("labels")
    of_images = places.drop_duplicates("image_id")["correct"].astype("boolean")
    right, wrong = int(of_images.eq(True).sum()), int(of_images.eq(False).sum())
    numbers = {"right": right, "wrong": wrong, "decided": int(asked["answer"].isin(["yes", "no"]).sum())}
    told = asked[asked["answer"].isin(["yes", "no"])]
    if not len(told):
        return cannot_be_told(
            f"of {right} right and {wrong} wrong answers that their evidence lies at different places",
            numbers,
        )
    said = "; ".join(
        f"{row.method}, {row.region}: {row.value:+.3f} where right, {row.reference:+.3f} where wrong (p {row.p_holm:.3f})"
        for row in told.itertuples()
    )
    return Verdict(
        True,
        f"Of {right} right and {wrong} wrong answers the shares of the evidence, less chance, differ: {said}.",
        numbers,
    )


SOUND = Check(
    "values_are_in_range",
    "Each map stands once, and its shares are 0 to 1 and add up to 1.",
    _sound,
    blocking=True,
)
ON_OBJECT = Check(
    "evidence_on_object",
    "Each method's maps of the answers lie on the object more than its maps of other images do.",
    _on_object,
)
RIGHT_AND_WRONG = Check(
    "evidence_of_right_and_wrong_answers",
    "Whether the evidence lies elsewhere where the answer is wrong; a difference is information and no fault.",
    _right_and_wrong,
)
