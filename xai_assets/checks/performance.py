"""Checks of how well the explained model does on the study's labelled images."""

import math
from collections.abc import Iterator

from xai_assets.checks import rules
from xai_assets.checks.check import Check, Verdict, cannot_be_told, not_asked
from xai_assets.joined import split_names
from xai_assets.resources.table import Table

SHARES = ("probability", "label_probability")
NO_LABELS = "No image has a label that the model has."

FEWEST_CORRECT = 0.5
"""Share of the labelled images that the model has to name rightly before its explanations are of wrong answers."""


def _sound(answers: Table, images: Table, *_: Table) -> Verdict:
    def problems() -> Iterator[str]:
        unknown = sorted(set(answers["image_id"]) - set(images["image_id"]))
        if unknown:
            yield f"rows for {rules.named([(name,) for name in unknown])}, which are not of the study"
        yield from rules.repeated(answers, ["image_id"])
        yield from rules.out_of_range(answers, dict.fromkeys(SHARES, rules.SHARE))

    well = f"{len(answers)} images, each once, with probabilities from 0 to 1."
    return rules.sound(problems(), well, "Materialise model_performance again.", len(answers))


def _known_labels(answers: Table, *_: Table) -> Verdict:
    labelled = answers.dropna(subset=["label"])
    if not len(labelled):
        return not_asked("No image has a label.")
    unknown = labelled[labelled["correct"].isna()]
    said = (
        f"{len(labelled) - len(unknown)} of {len(labelled)} labelled images have a label that the model has."
    )
    if len(unknown):
        named = [
            f"{row.image_id}: {', '.join(split_names(row.label))}"
            for row in unknown.head(rules.NAMED).itertuples()
        ]
        said += f" Not known to it: {'; '.join(named)}. Write the class's name, its number or its synset."
    return Verdict(not len(unknown), said, {"labelled": len(labelled), "unknown": len(unknown)})


def _right(answers: Table, *_: Table) -> Verdict:
    labelled = answers.dropna(subset=["correct"])
    if not len(labelled):
        return not_asked("No image has a label that the answer could be compared with.")
    right = int(labelled["correct"].astype(bool).sum())
    said = f"The model names {right} of {len(labelled)} labelled images rightly."
    enough = right >= FEWEST_CORRECT * len(labelled)
    if not enough:
        said += " Explanations of wrong answers tell of mistakes: look at class names, preprocessing and checkpoint."
    return Verdict(enough, said, {"labelled": len(labelled), "right": right})


def _accurate(_: Table, images: Table, found: Table) -> Verdict:
    """The accuracy's interval against the study's limit, which is the column `limit`."""
    (row,) = found[found["metric"] == "accuracy"].to_dict("records")
    if not row["n"]:
        return not_asked(NO_LABELS)
    if row["limit"] is None or math.isnan(row["limit"]):
        return not_asked("The study gives no limit (`attribution.performance.min_accuracy`).")
    limit = float(row["limit"])
    numbers = {"accuracy": float(row["value"]), "limit": limit, "images": int(row["n"])}
    said = f"accuracy is {row['value']:.3f} of {row['n']} images"
    if row["low"] is not None and not math.isnan(row["low"]):
        said += f", 95 % interval {row['low']:.3f} to {row['high']:.3f}"
        numbers |= {"low": float(row["low"]), "high": float(row["high"])}
        if row["low"] >= limit:
            return Verdict(True, f"The {said}: not below the limit of {limit:g}.", numbers)
        if row["high"] < limit:
            return Verdict(
                False, f"The {said}: below the limit of {limit:g}. Look at failures first.", numbers
            )
    return cannot_be_told(f"whether it is below {limit:g}: the {said}", numbers)


def _every_class(_: Table, images: Table, found: Table) -> Verdict:
    recall = found[(found["metric"] == "recall") & (found["n"] > 0)]
    if not len(recall):
        return not_asked(NO_LABELS)
    unused = set(found.loc[(found["metric"] == "precision") & (found["n"] == 0), "class_index"])
    never = recall[recall["class_index"].isin(unused)]
    decided = never[never["answer"] == "no"]
    numbers = {"classes": len(recall), "never": len(never), "decided": len(decided)}
    if not len(never):
        return Verdict(
            True, f"Each of {len(recall)} classes that are labels is predicted at least once.", numbers
        )
    if not len(decided):
        names = rules.named([(name,) for name in never["class_name"]])
        return cannot_be_told(
            f"of {len(never)} of {len(recall)} classes that are never predicted, {names}, whether the model misses most "
            f"of their images: they have at most {int(never['n'].max())}, and {int(recall['fewest'].max())} are needed",
            numbers,
        )
    named = rules.named([(f"{row.class_name} ({row.n} images)",) for row in decided.itertuples()])
    remedy = "Look at the order of the class names and at what the model was trained on."
    said = f"{len(decided)} of {len(recall)} classes that are labels are never predicted: {named}. {remedy}"
    return Verdict(False, said, numbers)


def _calibrated(_: Table, images: Table, found: Table) -> Verdict:
    rows = found[found["metric"] == "ece"]
    if not len(rows):
        return not_asked(NO_LABELS)
    row = rows.iloc[0]
    over = found.loc[found["metric"] == "overconfidence", "value"].iloc[0]
    numbers = {"ece": float(row["value"]), "calibrated": float(row["reference"]), "images": int(row["n"])}
    said = (
        f"the calibration error is {row['value']:.3f}, and that of a calibrated model with these probabilities "
        f"{row['reference']:.3f} (p {row['p']:.4f}, {row['n']} images)"
    )
    if row["answer"] == "yes":
        way = "higher" if over > 0 else "lower"
        return Verdict(
            False,
            f"Probabilities are other than the share of right answers, on average {abs(over):.3f} {way}: {said}.",
            numbers,
        )
    return cannot_be_told(f"that probabilities are other than the share of right answers: {said}", numbers)


def _plausible(answers: Table, images: Table, found: Table) -> Verdict:
    """Suspected labels by name, with what speaks against each, where it is decided that labels are wrong at all."""
    from xai_assets.evaluation.suspected_labels import suspected_labels

    (row,) = found[found["metric"] == "labels"].to_dict("records")
    labels, fewest = int(row["labels"]), int(row["fewest"])
    if not labels:
        return not_asked(NO_LABELS)
    if labels < fewest:
        return cannot_be_told(f"of {labels} labels whether some are wrong; at least {fewest} are needed")
    numbers = {"labels": labels, "share": float(row["share"]), "p": float(row["p"])}
    suspected = suspected_labels(answers)
    if row["answer"] != "yes" or not len(suspected):
        return cannot_be_told(
            f"that any of {labels} labels is wrong: the model's own mistakes explain what differs (p {row['p']:.3f})",
            numbers,
        )
    numbers |= {"suspected": len(suspected), "expected_precision": float(row["expected_precision"])}
    named = "; ".join(
        f"{one.image_id}: {one.label_name}, rather {one.suggested_name} ({one.evidence})"
        for one in suspected.head(rules.NAMED).itertuples()
    )
    more = f"; and {len(suspected) - rules.NAMED} more" if len(suspected) > rules.NAMED else ""
    return Verdict(
        False,
        f"{len(suspected)} of {labels} labels are suspected (p {row['p']:.3f}), of which {row['expected_precision']:.0%} "
        f"are expected to be wrong: {named}{more}. Look at them first: they are not counted as confusions of the model.",
        numbers,
    )


SOUND = Check(
    "answers_are_sound",
    "Each image that the model answers has one row, with probabilities from 0 to 1.",
    _sound,
    blocking=True,
)
KNOWN_LABELS = Check(
    "labels_are_classes_of_the_model",
    "Each labelled image has a label that is a class of the model: only so can its answer be right or wrong.",
    _known_labels,
)
RIGHT = Check(
    "model_is_mostly_right",
    "The model's answer is a label of at least half of the labelled images, explained or not.",
    _right,
)
ACCURATE = Check(
    "accuracy_is_not_below_the_limit",
    "The interval of the accuracy over all labelled images lies above the study's limit.",
    _accurate,
)
EVERY_CLASS = Check(
    "every_class_is_predicted",
    "No class of which there are labelled images enough is never predicted: its explanations would all be of mistakes.",
    _every_class,
)
CALIBRATED = Check(
    "probabilities_are_calibrated",
    "The probabilities of the answers say how often they are right, as far as the images can tell.",
    _calibrated,
)
PLAUSIBLE = Check(
    "labels_are_plausible",
    "No labels differ from the model's answers in a way that its own mistakes do not explain.",
    _plausible,
)
