"""Which units and which images are shown: stated rules, never picked by hand."""

from typing import Any

import pandas as pd

from xai_assets.evaluation.localization import of_object
from xai_assets.files import sha256_bytes
from xai_assets.reporting.numbers import in_order, plain
from xai_assets.reporting.results import StudyResults

CARDS_DEEPEST, CARDS_OTHER = 6, 3
UNIT_RULE = (
    f"The units with the largest IoU (where no pixel labels are known: the largest gap between CLIP-Dissect's first "
    f"and second word), one unit per concept, ties by number: {CARDS_DEEPEST} of the deepest layer, then {CARDS_OTHER} "
    f"of each other layer; where it was tested, only units whose name chance does not explain."
)


def units_to_show(results: StudyResults) -> pd.DataFrame:
    """The units that get a card: columns model, layer, unit, in the order of the report."""
    by_iou = len(results.netdissect) > 0
    table, score = (results.netdissect, "iou") if by_iou else (results.clip_dissect, "gap")
    rows: list[dict[str, Any]] = []
    if len(table):
        for model in in_order(table["model"]):
            of_model = table[table["model"] == model]
            layers = in_order(of_model["layer"])
            for layer in reversed(layers):
                limit = CARDS_DEEPEST if layer == layers[-1] else CARDS_OTHER
                rows += _strongest(of_model[of_model["layer"] == layer], score, limit)
    return pd.DataFrame(rows, columns=["model", "layer", "unit"])


def _strongest(table: pd.DataFrame, score: str, limit: int) -> list[dict[str, Any]]:
    alive = table[~table["dead"].astype(bool) & table["concept"].notna() & table[score].notna()]
    if "beyond_chance" in alive:
        alive = alive[alive["beyond_chance"].astype("boolean").fillna(True).astype(bool)]
    ordered = alive.assign(_score=alive[score].astype(float)).sort_values(
        ["_score", "unit"], ascending=[False, True], kind="stable"
    )
    chosen = ordered.drop_duplicates("concept").head(limit)
    return [
        {"model": str(row["model"]), "layer": str(row["layer"]), "unit": int(row["unit"])}
        for row in chosen.to_dict("records")
    ]


def images_to_show(results: StudyResults, limit: int) -> tuple[list[str], str]:
    """The images of a gallery, in the study's order, and the rule that chose them in words.

    Up to `limit` images all are shown. Beyond that: up to half of them are those whose answer is wrong, the surest first.
    Of the others, where the truth is known, a third have the best and a third the worst mean pixel average precision of
    the methods, and the rest is drawn by the study's seed; else all are drawn.
    """
    shown = in_order(results.predictions["image_id"]) if len(results.predictions) else []
    if len(shown) <= limit:
        return shown, "All explained images are shown, in the study's order."
    drawn = sorted(shown, key=lambda image: sha256_bytes(f"{results.seed}/{image}".encode()))
    wrong = _wrong(results.predictions)
    chosen = wrong[: limit // 2]
    parts = []
    if chosen:
        few = "" if len(wrong) == len(chosen) else f" of {len(wrong)}"
        parts.append(f"{len(chosen)}{few} with a wrong answer" + (", the surest first" if few else ""))
    third = (limit - len(chosen)) // 3
    if len(results.localization) and third:
        scores = of_object(results.localization)
        scores = scores[~scores["is_control"].astype(bool)]
        precision = pd.to_numeric(scores["average_precision"], errors="coerce").astype("float64")
        means = precision.groupby(scores["image_id"].astype(str)).mean().dropna()
        ranked = sorted(means.index, key=lambda image: (plain(means[image]), image))
        ranked = [image for image in ranked if image not in chosen]
        chosen = chosen + ranked[:third] + ranked[-third:]
        some = "one" if third == 1 else third
        parts.append(
            f"the {some} with the lowest and the {some} with the highest mean pixel average precision of the methods"
        )
    parts.append("the others drawn by the study's seed" if parts else "drawn by the study's seed")
    rule = f"Of {len(shown)} explained images, {limit} are shown{':' if len(parts) > 1 else ','} {', '.join(parts)}."
    chosen = list(dict.fromkeys(chosen + [image for image in drawn if image not in chosen]))[:limit]
    return [image for image in shown if image in set(chosen)], rule


def _wrong(predictions: pd.DataFrame) -> list[str]:
    """The images whose answer is wrong, the surest first."""
    if "correct" not in predictions:
        return []
    wrong = predictions[predictions["correct"].astype("boolean").fillna(True).eq(False)]
    return in_order(wrong.sort_values("predicted_probability", ascending=False, kind="stable")["image_id"])


def failures_to_show(results: StudyResults, limit: int) -> tuple[list[tuple[str, str | None]], str, int]:
    """The explained wrong answers that are shown, each with the right answer matched to it, the rule, and how many.

    Up to `limit` all are shown. Beyond that the surest of each confused pair, then the second of each, and so on. The
    order is that of the pairs, that with the most images first; of a pair, the surest first.
    """
    if not len(results.answers) or not len(results.predictions):
        return [], "", 0
    explained = set(results.predictions["image_id"])
    wrong = results.answers[results.answers["error_rank"].notna()].sort_values("error_rank")
    wrong = wrong[wrong["image_id"].isin(explained)]
    of_pair = {
        (row["label_index"], row["predicted_index"]): int(row["error_rank"])
        for row in results.confusions.dropna(subset=["error_rank"]).to_dict("records")
    }
    last = len(of_pair) + 1  # an image with several labels is of no pair
    pairs = [
        last if pd.isna(label) else of_pair.get((label, predicted), last)
        for label, predicted in zip(wrong["label_index"], wrong["predicted_index"], strict=True)
    ]
    ranked = wrong.assign(pair=pairs)
    ranked = ranked.assign(turn=ranked.groupby("pair").cumcount())
    chosen = ranked.sort_values(["turn", "pair", "error_rank"]).head(limit)
    ordered = chosen.sort_values(["pair", "error_rank"])["image_id"].astype(str).tolist()
    beside = {}
    if len(results.explained_sample):
        matched = results.explained_sample[results.explained_sample["reason"] == "success"]
        beside = dict(zip(matched["matched_to"], matched["image_id"], strict=True))
    rule = "Most confused pairs first, the surest answer of each first."
    if len(wrong) > limit:
        rule = f"Of these {limit} are shown, the surest of each confused pair in turn. {rule}"
    return [(image, beside.get(image)) for image in ordered], rule, len(wrong)
