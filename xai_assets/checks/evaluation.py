"""Checks of what maps are worth: all were measured, within what can be, and a method beats what looks at no model."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from xai_assets.attribution.parameters import is_external
from xai_assets.checks import rules
from xai_assets.checks.check import Check, Verdict, cannot_be_told, left_out_by_budget, not_asked
from xai_assets.evaluation.parameters import MATTERS
from xai_assets.resources.table import Table

MAP = ["method", *rules.CASE]
AGREEMENT = {
    **dict.fromkeys(
        "iou chance_iou attainable_iou iou_matched chance_iou_matched dice density_a density_b".split(),
        rules.SHARE,
    ),
    "rank_correlation": (-1.0, 1.0),
}
LOCALIZATION = dict.fromkeys(
    "iou chance_iou iou_matched average_precision chance_ap pointing chance_pointing energy chance_energy".split(),
    rules.SHARE,
)
COUNTERFACTUALS = {
    **dict.fromkeys("probability changed_probability area energy".split(), rules.SHARE),
    "fall": (-1.0, 1.0),
}
REMEDY = "Mend what measured it: nothing is to be built on this table."


def _pairs(agreement: Table, maps: Table, *_: Table) -> Verdict:
    methods: dict[tuple[object, ...], list[str]] = {}
    for row in maps.itertuples():
        methods.setdefault((row.image_id, row.target_index), []).append(row.method)
    wanted = {(*case, *sorted(pair)) for case, names in methods.items() for pair in combinations(names, 2)}
    if not wanted:
        return rules.left_out("the comparison of several methods")
    there = {
        (row.image_id, row.target_index, *sorted((row.method_a, row.method_b)))
        for row in agreement.itertuples()
    }
    missing = sorted(wanted - there, key=str)
    said = f"All {len(wanted)} pairs of maps of one case are compared."
    if missing:
        said = (
            f"{len(missing)} of {len(wanted)} pairs are not compared: {rules.named(missing)}. Run it again."
        )
    return Verdict(not missing, said, {"pairs": len(wanted), "missing": len(missing)})


def _agreement_sound(agreement: Table, *_: Table) -> Verdict:
    def problems() -> Iterator[str]:
        yield from rules.repeated(agreement, [*rules.CASE, "method_a", "method_b"])
        yield from rules.out_of_range(agreement, AGREEMENT)
        above = agreement["iou"] > agreement["attainable_iou"] + rules.ROUNDING
        if above.any():
            yield f"pairs with an IoU above what their densities allow: {int(above.sum())}"

    return rules.sound(problems(), "All values are within what they can be.", REMEDY, len(agreement))


def _agree(agreement: Table, *others: Table) -> Verdict:
    """Of `agreement_summary`, the answers about the IoU of each pair, against that of masks of different images."""
    asked = others[-1] if len(agreement) else agreement
    if len(asked):
        asked = asked[(asked["metric"] == "iou") & asked["area"].isna() & asked["mean"].notna()]
        asked = asked.assign(pair=asked["method_a"] + " and " + asked["method_b"])
    if not len(asked):
        return rules.left_out("the comparison of several methods")
    return decided(
        asked,
        "pair",
        "overlap in their masks more than those of different images do",
        "they cannot both be where the model looked",
        ("pair of methods", "pairs of methods"),
    )


def _sound(ranges: dict[str, rules.Range], key: Sequence[str]) -> Callable[..., Verdict]:
    def look(table: Table, *_: Table) -> Verdict:
        def problems() -> Iterator[str]:
            yield from rules.repeated(table, key)
            yield from rules.out_of_range(table, ranges)

        return rules.sound(problems(), "All values are within what they can be.", REMEDY, len(table))

    return look


def _metrics_sound(table: Table, *_: Table) -> Verdict:
    return _within(_without_left_out(table), [*MAP, "metric", "variant"])


def _differences_sound(table: Table, *_: Table) -> Verdict:
    return _within(_without_left_out(table), [*MAP, "contrast_index", "metric", "variant"])


def _without_left_out(table: Table) -> Table:
    """The rows of maps that were measured; see `analysis.budget`."""
    return table[table["left_out"].isna()] if "left_out" in table else table


def _left_out(table: Table) -> Table:
    return table[table["left_out"].notna()] if "left_out" in table else table.iloc[:0]


def _within(table: Table, key: Sequence[str]) -> Verdict:
    def problems() -> Iterator[str]:
        yield from rules.repeated(table, key)
        yield from rules.out_of_metric_range(table)

    return rules.sound(problems(), "All values are within what their metric can be.", REMEDY, len(table))


def _measured(table: Table, maps: Table, *_: Table) -> Verdict:
    if not len(table):
        return rules.left_out("this measure")
    return _all_measured(table, maps)


def _looked_at(table: Table, maps: Table, *_: Table) -> Verdict:
    """As `_measured`, of the cases that are in the table, and of maps that can be made again: no others are looked at."""
    if not len(table):
        return rules.left_out("this measure")
    maps = maps[~maps["method"].astype(str).map(is_external).astype(bool)]
    looked_at = set(rules.cases(table))
    return _all_measured(
        table, maps[[case in looked_at for case in zip(*(maps[c] for c in rules.CASE), strict=True)]]
    )


def _all_measured(table: Table, maps: Table) -> Verdict:
    missing = sorted(set(rules.questions(maps, MAP)) - set(rules.questions(table, MAP)), key=str)
    out = _left_out(table)
    if len(out) and not missing:
        what = f"{len(rules.questions(out, MAP))} of {len(maps)} maps, since the {out['left_out'].iloc[0]} was used up"
        return left_out_by_budget(what, {"maps": len(maps), "left_out": len(rules.questions(out, MAP))})
    said = f"All {len(maps)} maps are measured."
    if missing:
        said = f"{len(missing)} of {len(maps)} maps are not measured: {rules.named(missing)}. The step's log says why."
    return Verdict(not missing, said, {"maps": len(maps), "missing": len(missing)})


def _localizes(localization: Table, *others: Table) -> Verdict:
    """Of the tests of localisation (`metric_tests`), those of each method against the control `random`."""
    asked = tests = others[-1] if len(localization) else localization
    if len(tests):
        headline = (tests["metric"] == "average_precision") & (tests["truth"] == "object")
        asked = tests[headline & (tests["family"] == "controls") & (tests["method_b"] == "random")]
    if not len(asked):
        return rules.left_out("pixel average precision")
    return decided(
        asked,
        "method_a",
        "find the object better than a random map does (pixel average precision)",
        "what such a map shows is not to be read as evidence",
    )


def _faithful(_: Table, maps: Table, tests: Table) -> Verdict:
    """Of the tests of faithfulness (`metric_tests`), those of each method against the control `random`."""
    return _followed(tests, "the score")


def _differences_faithful(_: Table, maps: Table, tests: Table) -> Verdict:
    """The same of the difference of two classes, by the probability of the one if it has to be one of the two."""
    return _followed(tests, "the lead of the predicted class over the expected one")


def _followed(tests: Table, score: str) -> Verdict:
    asked = tests
    if len(tests):
        headline = (tests["metric"] == "srg") & (tests["variant"] == "blur")
        asked = tests[headline & (tests["family"] == "controls") & (tests["method_b"] == "random")]
    if not len(asked):
        return rules.left_out("symmetric relevance gain")
    return decided(
        asked,
        "method_a",
        f"are followed by {score} more than a random map is (symmetric relevance gain, blur)",
        "what such a map shows is not to be read as evidence",
    )


def _follows(table: Table, maps: Table, vetoes: Table) -> Verdict:
    found = _followed_by_the_rest(vetoes)
    out = _left_out(table)
    methods = sorted(set(out["method"]) - set(_without_left_out(table)["method"])) if len(out) else []
    if not methods or found.passed is False:
        return found
    what = f"{', '.join(methods)}, since the {out['left_out'].iloc[0]} was used up. {found.said.removesuffix('.')}"
    return left_out_by_budget(what, {**found.numbers, "left_out": len(methods)})


def _followed_by_the_rest(vetoes: Table) -> Verdict:
    decided = vetoes[~vetoes["is_control"].astype(bool)].dropna(subset=["vetoed"]) if len(vetoes) else vetoes
    if not len(decided):
        if len(vetoes):
            return cannot_be_told("whether maps go with the model: no map of the shuffled network is alive")
        return rules.left_out("the randomisation of the model")
    outlive = sorted(decided.loc[decided["vetoed"].astype(bool), "method"])
    said = f"Maps of {len(decided) - len(outlive)} of {len(decided)} methods go when the model's weights are shuffled."
    if outlive:
        said += (
            f" Those of {', '.join(outlive)} stay: they show the picture, and not what the model made of it."
        )
    rest = vetoes[~vetoes["is_control"].astype(bool) & vetoes["vetoed"].isna()]
    if len(rest):
        said += f" Cannot be told of {', '.join(sorted(rest['method']))}: no map of the shuffled network is alive."
    return Verdict(not outlive, said, {"methods": len(decided), "vetoed": len(outlive)})


def _on_what_counts(_: Table, maps: Table, summary: Table) -> Verdict:
    rows = summary
    if len(summary):
        counting = (summary["measure"] == "energy_that_counts") & summary["answer"].notna()
        rows = summary[counting]
    if not len(rows):
        return not_asked(f"No change lowers a probability by {MATTERS} or more, or none was made.")
    return decided(
        rows,
        "method",
        "lie more on what takes the class away than an even map does",
        "they miss what the model's answer hangs on",
    )


def decided(
    rows: Table, column: str, what: str, follows: str, each: tuple[str, str] = ("method", "methods")
) -> Verdict:
    """The verdict of a check of several methods that the rule of `evaluation.decision` decides.

    It fails where the answer is no for one of them, passes where it is yes for all, and is open else.

    Args:
        rows: one a method, or a question of a method, with `answer`, `p_holm`, `family_size`, `fewest` and `n`.
        column: the one with the method.
        what: what is asked of the maps of a method, as in "lie above a random map".
        follows: what follows where it is not so.
        each: what is asked, in the singular and the plural.
    """
    methods = list(dict.fromkeys(rows[column]))
    low = list(dict.fromkeys(rows.loc[rows["answer"] == "no", column]))
    unsure = [
        name for name in dict.fromkeys(rows.loc[rows["answer"] == "cannot_tell", column]) if name not in low
    ]
    images, size, fewest = int(rows["n"].max()), int(rows["family_size"].max()), int(rows["fewest"].max())
    numbers = {"methods": len(methods), "no": len(low), "cannot_tell": len(unsure), "images": images}
    few = f"; at least {fewest} are needed" if images < fewest else ""
    tested = f"{images} images, {size} tests corrected by Holm"
    if unsure and len(unsure) == len(methods):
        return cannot_be_told(f"of any {each[0]} with {images} images{few}: whether its maps {what}", numbers)
    said = f"Maps of {len(methods) - len(low) - len(unsure)} of {len(methods)} {each[1]} {what} ({tested})."
    if low:
        said += f" Those of {', '.join(low)} do not: {follows}."
    if unsure:
        said += f" Of {', '.join(unsure)} it cannot be told{few}."
    if unsure and not low:
        return cannot_be_told(f"of every {each[0]}. {said.removesuffix('.')}", numbers)
    return Verdict(not low, said, numbers)


PAIRS = Check(
    "every_pair_is_compared",
    "Each two maps of one case are compared, so that means are of the same cases.",
    _pairs,
)
AGREEMENT_SOUND = Check(
    "values_are_in_range",
    "Each pair stands once, shares are 0 to 1, correlations -1 to 1, and no IoU is above what the densities allow.",
    _agreement_sound,
    blocking=True,
)
AGREE = Check(
    "methods_overlap_beyond_chance",
    "The masks of each two methods overlap more than their masks of different images do.",
    _agree,
)
LOCALIZATION_SOUND = Check(
    "values_are_in_range",
    "Each map stands once a truth, and all shares are 0 to 1.",
    _sound(LOCALIZATION, [*MAP, "truth"]),
    blocking=True,
)
LOCALIZES = Check(
    "methods_beat_a_random_map",
    "Each method finds the true pixels better than a map that looks at nothing.",
    _localizes,
)
METRICS_SOUND = Check(
    "values_are_in_range",
    "Each value stands once, and lies in the range that its metric is declared with.",
    _metrics_sound,
    blocking=True,
)
MEASURED = Check(
    "every_map_is_measured", "Each map has its measures, so that means are of the same cases.", _measured
)
LOOKED_AT = Check(
    "every_map_is_measured", "Of each case that is looked at, each map has its measures.", _looked_at
)
FAITHFUL = Check(
    "methods_beat_a_random_map",
    "The score follows each method's map more than it follows one that looks at nothing.",
    _faithful,
)
DIFFERENCES_MEASURED = Check("every_map_is_measured", "Each map of a difference has its measures.", _measured)
DIFFERENCES_SOUND = Check(
    "values_are_in_range",
    "Each value stands once, and lies in the range that its metric is declared with.",
    _differences_sound,
    blocking=True,
)
DIFFERENCES_FAITHFUL = Check(
    "methods_beat_a_random_map",
    "The lead of the predicted class over the expected one follows each method's map more than it follows one that looks "
    "at nothing.",
    _differences_faithful,
)
FOLLOWS = Check(
    "methods_follow_the_model",
    "Maps change when the model's weights are shuffled: one that does not is no explanation of the model.",
    _follows,
)
COUNTERFACTUALS_SOUND = Check(
    "values_are_in_range",
    "Each change of a scene stands once a method, and all shares are 0 to 1.",
    _sound(COUNTERFACTUALS, [*MAP, "change"]),
    blocking=True,
)
ON_WHAT_COUNTS = Check(
    "maps_lie_on_what_counts",
    "Where a change of the scene takes the class away, each method's maps lie on it more than an even map would.",
    _on_what_counts,
)
