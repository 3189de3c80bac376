"""Checks of the dissection: every unit has a row, few are dead, the probe set is sound, the methods agree."""

from collections.abc import Iterator

from xai_assets.checks import rules
from xai_assets.checks.check import Check, Verdict, cannot_be_told, not_asked
from xai_assets.resources.table import Table

MOST_DEAD = 0.5
"""Share of a layer's units that may never fire before its concepts are doubted."""

FEWEST_IMAGES = 100
"""Probe images below which a unit's top images say little; a study that renders its probe set has at least so many."""

FALSE_DISCOVERY_RATE = 0.05

FEWEST_NETWORKS = 20
"""Shuffled networks below which no layer is decided, as `dissection.shuffled_null` has it."""

SHARES = {
    "p", "q", "p_shuffled", "q_shuffled", "iou", "attainable_iou", "coverage", "truth_presence", "chance_presence",
    "base_rate", "p_network", "p_presence", "p_presence_network",
}  # fmt: skip
"""Columns of units' concepts that are 0 to 1."""


def _few_dead(activations: Table) -> Verdict:
    share = activations["dead"] / activations["units"]
    bad = activations[share > MOST_DEAD]
    total, dead = int(activations["units"].sum()), int(activations["dead"].sum())
    said = f"{dead} of {total} units never fire on the probe set."
    if len(bad):
        named = ", ".join(f"{row.model} {row.layer} ({row.dead} of {row.units})" for row in bad.itertuples())
        said += f" More than half are dead in {named}: look at the model's weights and preprocessing."
    return Verdict(not len(bad), said, {"units": total, "dead": dead})


def _healthy(embeddings: Table, *_: Table) -> Verdict:
    warnings = [line for line in str(embeddings["warnings"].iloc[0]).split("\n") if line]
    said = "Nothing unusual was found." if not warnings else "; ".join(warnings)
    return Verdict(not warnings, said, {"warnings": len(warnings)})


def _covered(concepts: Table, activations: Table, *, kinds: tuple[str, ...] | None = None) -> Verdict:
    """Every unit of every layer (of these kinds) has exactly one row, numbered from 0."""
    wanted = activations if kinds is None else activations[activations["kind"].isin(kinds)]
    missing = []
    for row in wanted.itertuples():
        units = concepts.loc[(concepts["model"] == row.model) & (concepts["layer"] == row.layer), "unit"]
        if sorted(units) != list(range(row.units)):
            missing.append(f"{row.model} {row.layer}: {units.nunique()} of {row.units} units")
    total = int(wanted["units"].sum())
    said = "; ".join(missing) if missing else f"All {total} units have their row."
    return Verdict(not missing, said, {"units": total, "rows": len(concepts)})


def _words_cover(concepts: Table, _: Table, activations: Table, *__: Table) -> Verdict:
    return _covered(concepts, activations)


def _labels_cover(concepts: Table, probe: Table, activations: Table) -> Verdict:
    if not bool(probe["labelled"].iloc[0]):
        return not_asked("The probe set has no pixel labels, so nothing was dissected by them.")
    return _covered(concepts, activations, kinds=("map",))


def _beyond_chance(concepts: Table, *_: Table) -> Verdict:
    if not len(concepts):
        return not_asked("No unit was named.")
    living = concepts[~concepts["dead"].astype(bool)]
    if len(living) and living["q"].isna().all():
        return cannot_be_told("since the probe images are of too few photographs to permute")
    found, networks = int(concepts["beyond_chance"].sum()), int(concepts["networks"].min())
    by_images = int((living["q"] < FALSE_DISCOVERY_RATE).sum())
    beside = f" nor {networks} networks with shuffled weights" if networks else ""
    said = (
        f"{found} of {len(living)} active units have a concept that neither images in another order{beside} explain, at "
        f"a false-discovery rate of {FALSE_DISCOVERY_RATE:.0%}; {by_images} have one that images in another order do not "
        f"explain."
    )
    numbers = {"units": len(living), "beyond_chance": found, "beyond_images": by_images, "networks": networks}
    if found:
        return Verdict(True, said, numbers)
    if by_images and 0 < networks < FEWEST_NETWORKS:
        said += f" Whether training explains them cannot be told with {networks} networks: it takes {FEWEST_NETWORKS}."
    else:
        said += " Whether any name in this table means something cannot be told: look at the probe set and the encoder."
    return Verdict(None, said, numbers)


def _methods_agree(_: Table, words: Table, labels: Table, *__: Table) -> Verdict:
    import pandas as pd

    from xai_assets.dissection.agreement import name_agreement
    from xai_assets.evaluation.decision import Answer

    if not (len(words) and len(labels)):
        return not_asked("Only one of the two methods has named units, so there is nothing to compare.")
    found = name_agreement(words, labels)
    if not len(found):
        return not_asked("No unit has both a word and a pixel label that it detects.")
    whole = found.iloc[0]  # all models together
    ends = "" if pd.isna(whole["low"]) else f" (95 % interval {whole['low']:.0%} to {whole['high']:.0%})"
    said = (
        f"Both methods give {whole['agree']} of {whole['units']} units ({whole['n']} words) the same name: "
        f"{whole['mean']:.0%}{ends}, where the same names dealt at random within each layer would give "
        f"{whole['chance']:.0%} (p = {whole['p']:.4f})."
    )
    numbers = {
        "units": int(whole["units"]),
        "same": int(whole["agree"]),
        "chance": round(float(whole["chance"]), 4),
    }
    if whole["answer"] == Answer.CANNOT_TELL:
        return Verdict(
            None,
            f"{said} Whether they agree beyond chance cannot be told: look at units and images.",
            numbers,
        )
    if whole["answer"] == Answer.NO:
        said += " That is less than chance: believe neither before you have looked at units and images."
    return Verdict(bool(whole["answer"] == Answer.YES), said, numbers)


def _enough(probe: Table, *_: Table) -> Verdict:
    images, labels = int(probe["images"].iloc[0]), int(probe["labels"].iloc[0])
    numbers = {"images": images, "labels": labels}
    if bool(probe["labelled"].iloc[0]) and not labels:
        return Verdict(
            False, "The probe set has label maps and names no label: look at its label.csv.", numbers
        )
    if images < FEWEST_IMAGES:
        said = (
            f"{images} images are few: what drives a unit most is then what happens to be there. Bring more."
        )
        return Verdict(False, said, numbers)
    return Verdict(True, f"{images} images with {labels} labels.", numbers)


def _layers_sound(activations: Table, *_: Table) -> Verdict:
    def problems() -> Iterator[str]:
        yield from rules.repeated(activations, ["model", "layer"])
        empty = activations[activations["units"] < 1]
        if len(empty):
            yield f"{rules.named(rules.cases(empty, ['model', 'layer']))} have no unit"
        more = activations[(activations["dead"] < 0) | (activations["dead"] > activations["units"])]
        if len(more):
            yield f"{rules.named(rules.cases(more, ['model', 'layer']))} have more dead units than units"

    said = f"{len(activations)} layers, each once and with units."
    return rules.sound(problems(), said, "Materialise the asset again.", len(activations))


def _concepts_sound(concepts: Table, *_: Table) -> Verdict:
    def problems() -> Iterator[str]:
        yield from rules.out_of_range(concepts, dict.fromkeys(SHARES & set(concepts.columns), rules.SHARE))
        if "attainable_iou" in concepts:
            above = concepts["iou"] > concepts["attainable_iou"] + rules.ROUNDING
            if above.any():
                yield f"units with an IoU above what their label's coverage allows: {int(above.sum())}"

    said = f"All values of {len(concepts)} units are within what they can be."
    return rules.sound(problems(), said, "Nothing is to be built on this table: report it.", len(concepts))


FEW_DEAD = Check(
    "few_dead_units", "At most half of each layer's units never fire on the probe set.", _few_dead
)
ENOUGH = Check(
    "probe_is_large_enough",
    "The probe set has at least a hundred images, and labels where it has label maps: units are named from these alone.",
    _enough,
)
LAYERS_SOUND = Check(
    "layers_are_sound",
    "Each layer of each model stands once, with units, and with no more dead ones than it has.",
    _layers_sound,
    blocking=True,
)
CONCEPTS_SOUND = Check(
    "values_are_in_range",
    "Probabilities, shares and IoUs are 0 to 1, and no IoU is above what the label's coverage allows.",
    _concepts_sound,
    blocking=True,
)
PROBE_HEALTH = Check(
    "probe_is_healthy",
    "Pictures, encoder and list of concepts are what they should be: sizes, duplicates, zero-shot accuracy.",
    _healthy,
)
WORDS_COVER = Check(
    "every_unit_has_a_row",
    "Each unit of each dissected layer has exactly one row.",
    _words_cover,
    blocking=True,
)
LABELS_COVER = Check(
    "every_unit_has_a_row",
    "Each unit of each dissected layer with maps has exactly one row.",
    _labels_cover,
    blocking=True,
)
BEYOND_CHANCE = Check(
    "some_concepts_beat_chance",
    "At least one unit's concept is beyond what images in another order, and networks with shuffled weights, would give.",
    _beyond_chance,
)
METHODS_AGREE = Check(
    "methods_agree",
    "CLIP-Dissect's words and Network Dissection's labels name units alike more often than chance would.",
    _methods_agree,
)
