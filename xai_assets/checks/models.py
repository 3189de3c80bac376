"""Checks of several models of one study: all answer and explain the same images, and none is worse than the first."""

from collections.abc import Iterator

from xai_assets.checks import rules
from xai_assets.checks.check import Check, Verdict, cannot_be_told, not_asked
from xai_assets.resources.table import Table

ONE = "The study has one model."
MAP = ["image_id", "target_index", "method"]
SHARES = dict.fromkeys(
    "probability predicted_probability density mask_area centre_x centre_y on_object".split(), rules.SHARE
)


def _answered(answers: Table, images: Table, *_: Table) -> Verdict:
    if not len(answers):
        return not_asked(ONE)
    models = list(dict.fromkeys(answers["model"]))
    there = set(rules.cases(answers, ["model", "image_id"]))
    wanted = list(dict.fromkeys(images.loc[images["status"] == "ok", "image_id"]))
    missing: rules.Cases = [
        (image, model) for model in models for image in wanted if (model, image) not in there
    ]
    numbers = {"models": len(models), "images": len(wanted), "missing": len(missing)}
    if not missing:
        return Verdict(True, f"Each of {len(models)} models answers all {len(wanted)} images.", numbers)
    said = f"{len(missing)} of {len(models) * len(wanted)} answers are missing: {rules.named(missing)}."
    return Verdict(False, f"{said} Comparisons leave these images out; the step's problems say why.", numbers)


def _not_worse(answers: Table, _: Table, tests: Table) -> Verdict:
    """Of the tests of right answers, those of each later model against the first."""
    if not len(answers):
        return not_asked(ONE)
    first = answers["model"].iloc[0]
    asked = tests[(tests["metric"] == "correct") & (tests["model_a"] == first) & (tests["n"] > 0)]
    if not len(asked):
        return not_asked("No image has a label that the models have.")
    by_answer = {answer: asked[asked["answer"] == answer] for answer in ("no", "yes", "cannot_tell")}
    numbers = {
        "models": len(asked),
        "images": int(asked["n"].min()),
        **{answer: len(of) for answer, of in by_answer.items()},
    }
    told = {answer: "; ".join(_told(of, first)) for answer, of in by_answer.items()}
    if len(by_answer["no"]):
        return Verdict(
            False,
            f"Right less often than {first}: {told['no']}. The table changed_answers names the images.",
            numbers,
        )
    if len(by_answer["cannot_tell"]):
        least = int(asked["fewest"].max())
        more = f"; at least {least} on which only one is right are needed"
        return cannot_be_told(
            f"whether a model is right less often than {first}: {told['cannot_tell']}{more}", numbers
        )
    return Verdict(True, f"Right more often than {first}: {told['yes']}.", numbers)


def _told(rows: Table, first: str) -> Iterator[str]:
    for row in rows.itertuples():
        yield (
            f"{row.model_b} ({row.value_b:.3f} and {row.value_a:.3f} of {row.n} images, {row.only_b} right by it alone "
            f"and {row.only_a} by {first} alone, p {row.p_holm:.4f})"
        )


def _sound(maps: Table, masks: Table, *_: Table) -> Verdict:
    if not len(maps):
        return not_asked(ONE)

    def problems() -> Iterator[str]:
        yield from rules.repeated(maps, ["model", *MAP])
        yield from rules.out_of_range(maps, SHARES)
        first = maps[maps["model"] == maps["model"].iloc[0]]
        both = first.merge(masks[[*MAP, "artifact"]], on=MAP, suffixes=("", "_of_study"))
        other = both[both["artifact"] != both["artifact_of_study"]]
        if len(other):
            yield f"maps of the first model that are not those of the study: {rules.named(rules.cases(other, MAP))}"

    well = f"{len(maps)} maps are in range, and those of the first model are the study's."
    return rules.sound(problems(), well, "Materialise maps_by_model again.", len(maps))


def _covered(maps: Table, *_: Table) -> Verdict:
    """Each method has of each image a map of each model's own answer."""
    if not len(maps):
        return not_asked(ONE)
    models, methods = (list(dict.fromkeys(maps[name])) for name in ("model", "method"))
    own = maps[maps["own_answer"].astype(bool)]
    there = set(rules.cases(own, ["model", "image_id", "method"]))
    images = list(dict.fromkeys(maps["image_id"]))
    wanted = [(model, image, method) for model in models for image in images for method in methods]
    missing: rules.Cases = [case for case in wanted if case not in there]
    numbers = {"maps": len(wanted), "missing": len(missing)}
    if not missing:
        return Verdict(
            True, f"Each of {len(models)} models has its maps of all {len(images)} images.", numbers
        )
    said = f"{len(missing)} of {len(wanted)} maps are missing: {rules.named(missing)}."
    return Verdict(False, f"{said} Comparisons leave these images out; the step's problems say why.", numbers)


ANSWERED = Check(
    "every_model_answers_every_image",
    "All models answer the same images, so that they are compared on these.",
    _answered,
)
NOT_WORSE = Check(
    "no_model_is_worse_than_the_first",
    "No later model is right less often on the same images than the first, as far as the images can tell (McNemar's "
    "exact test, corrected for all questions about answers).",
    _not_worse,
)
SOUND = Check(
    "values_are_in_range",
    "What is said of each model's maps is within what it can be, and the first model's maps are the study's.",
    _sound,
    blocking=True,
)
COVERED = Check(
    "every_model_has_its_maps",
    "Each model has a map of its own answer of each image, by each method.",
    _covered,
)
OF_ANSWERS = (ANSWERED, NOT_WORSE)
OF_MAPS = (SOUND, COVERED)
