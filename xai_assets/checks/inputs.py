"""Checks of what a study starts from: its pictures can be read, and the model says something sensible about them."""

from collections.abc import Iterator, Sequence

from xai_assets.checks import rules
from xai_assets.checks.check import Check, Verdict, not_asked
from xai_assets.resources.table import Table


def _readable(images: Table, *_: Table) -> Verdict:
    bad = images[images["status"] != "ok"]
    numbers = {"images": len(images), "quarantined": len(bad)}
    if not len(bad):
        return Verdict(True, f"All {len(images)} pictures can be read.", numbers)
    first = "; ".join(f"{row.image_id}: {row.reason}" for row in bad.head(rules.NAMED).itertuples())
    return Verdict(False, f"{len(bad)} of {len(images)} pictures are set aside. {first}", numbers)


def _predicted(predictions: Table, images: Table, *facts: Table) -> Verdict:
    aside = dict(_left_out("prediction", facts))

    def problems() -> Iterator[str]:
        usable = images[images["status"] == "ok"]
        others = {name for name, _ in _left_out("sample", facts)}
        missing = sorted(set(usable["image_id"]) - set(predictions["image_id"]) - set(aside) - others)
        if missing:
            yield f"no row for {rules.named([(name,) for name in missing])}"
        unknown = sorted(set(predictions["image_id"]) - set(usable["image_id"]))
        if unknown:
            yield f"rows for {rules.named([(name,) for name in unknown])}, which cannot be used"
        yield from rules.repeated(predictions, rules.CASE)
        shares = dict.fromkeys(["probability", "predicted_probability"], rules.SHARE)
        yield from rules.out_of_range(predictions, shares)
        above = predictions["probability"] > predictions["predicted_probability"] + rules.ROUNDING
        if above.any():
            yield f"target classes that are more probable than the most probable one: {int(above.sum())}"

    well = f"{len(predictions)} target classes of {predictions['image_id'].nunique()} pictures, each once."
    if aside:
        first = "; ".join(f"{name}: {why}" for name, why in list(aside.items())[: rules.NAMED])
        well += f" {len(aside)} have no prediction. {first}"
    return rules.sound(
        problems(),
        well,
        "Materialise images and predictions again; nothing is to be built on this table.",
        len(predictions),
    )


def _left_out(what: str, facts: Sequence[Table]) -> list[tuple[str, str]]:
    """Name and reason of what the step left out of a kind."""
    return [
        (str(name), str(why))
        for table in facts
        for kind, name, why in table.itertuples(index=False, name=None)
        if kind == what
    ]


def _ground_truth(predictions: Table, _: Table, *facts: Table) -> Verdict:
    if not _left_out("asked", facts):
        return rules.left_out("ground truth of its own")
    refused = _left_out("ground truth", facts)
    numbers = {"image_classes": len(predictions), "without": len(refused)}
    said = f"{len(predictions) - len(refused)} of {len(predictions)} image classes have a mask or boxes that can be used."
    if refused:
        said += f" {'; '.join(f'{name}: {why}' for name, why in refused[: rules.NAMED])}"
    return Verdict(len(refused) < len(predictions), said, numbers)


def _usual(predictions: Table, *_: Table) -> Verdict:
    pictures = predictions.drop_duplicates("image_id").dropna(subset=["input_check"])
    if not len(pictures):
        return not_asked("No input was looked at.")
    odd = pictures[pictures["input_check"] != "ok"]
    numbers = {"images": len(pictures), "unusual": len(odd)}
    if not len(odd):
        return Verdict(
            True, f"Nothing is unusual in what the model sees of {len(pictures)} pictures.", numbers
        )
    first = "; ".join(f"{row.image_id}: {row.input_check}" for row in odd.head(rules.NAMED).itertuples())
    remedy = "Look at these pictures and at the model's preprocessing."
    return Verdict(False, f"{len(odd)} of {len(pictures)} inputs are unusual. {first}. {remedy}", numbers)


def _of_domain(predictions: Table, *_: Table) -> Verdict:
    if not len(predictions):
        return not_asked("No image was explained.")
    said, known = str(predictions["domain"].iloc[0]), predictions["in_domain"].dropna()
    if not len(known):
        return not_asked(f"Whether the images are of the model's domain is {said}.")
    numbers = {"images": int(predictions["image_id"].nunique())}
    return Verdict(bool(known.all()), f"{said[0].upper()}{said[1:]}.", numbers)


READABLE = Check(
    "pictures_can_be_read",
    "No picture was set aside: what cannot be read is explained by nothing, and missing from every mean.",
    _readable,
)
PREDICTED = Check(
    "predictions_are_sound",
    "Each usable picture has its target classes, once, with probabilities from 0 to 1: all methods explain these.",
    _predicted,
    blocking=True,
)
USUAL = Check(
    "inputs_are_usual",
    "What goes into the model has the range that its preprocessing makes: a map of another input explains nothing.",
    _usual,
)
OF_DOMAIN = Check(
    "pictures_are_of_the_model_s_domain",
    "The pictures are like those that the model was trained on, as far as its batch normalisation or scenes at hand can "
    "tell: on others its answers, and explanations of them, may mean little.",
    _of_domain,
)
GROUND_TRUTH = Check(
    "ground_truth_is_usable",
    "Of the masks or boxes that the study names, some can be used: without them nothing says where a map ought to be.",
    _ground_truth,
)
