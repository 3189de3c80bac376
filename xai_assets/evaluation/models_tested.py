"""Whether models differ on the same images: in right answers, in probabilities, and in where their evidence lies."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.evaluation.between_models import OWN_ANSWER, SAME_CLASS, pairs_of
from xai_assets.evaluation.comparison import DECIDED, INTERVAL, interval_columns
from xai_assets.evaluation.decision import decide
from xai_assets.evaluation.intervals import paired_difference
from xai_assets.evaluation.paired_tests import mcnemar_p, sign_flip_p

ANSWERS, EVIDENCE = "answers", "evidence"
"""The two families: what models say of all images, and where the explained ones have their evidence."""

OF_ANSWERS = ("correct", "label_probability", "probability")
OF_EVIDENCE = (
    (SAME_CLASS, "on_object"),
    (OWN_ANSWER, "on_object"),
    (SAME_CLASS, "mask_area"),
    (SAME_CLASS, "centre_x"),
    (SAME_CLASS, "centre_y"),
)

COLUMNS = (
    "family", "metric", "question", "method", "model_a", "model_b", "value_a", "value_b", "only_a", "only_b",
    "difference", *INTERVAL, *DECIDED,
)  # fmt: skip

CHANGED = (
    "image_id", "model_a", "model_b", "change", "label", "class_a", "class_b", "probability_a", "probability_b",
    "correct_a", "correct_b",
)  # fmt: skip

KINDS = ("right_to_wrong", "wrong_to_right", "wrong_to_wrong", "right_to_right", "not_labelled")
"""What a changed answer means, from the earlier model to the later one."""


def model_tests(
    answers: pd.DataFrame, maps: pd.DataFrame, models: Sequence[str], *, seed: int
) -> pd.DataFrame:
    """One row a question about two models: the later one less the earlier one, on the same images, and what is decided.

    Right answers by McNemar's exact test, all else by flipping the signs of the images' differences. Each family is
    decided together (`decision.decide`). An image's classes are averaged first.

    Args:
        answers: of all models and images: `model`, `image_id` and OF_ANSWERS.
        maps: of all models: `model`, `image_id`, `method`, SAME_CLASS, OWN_ANSWER and the metrics of OF_EVIDENCE.
        models: in the study's order.
        seed: of drawn sign patterns.

    Returns:
        COLUMNS. `only_a` and `only_b`: images on which that model alone is right.
    """
    rows: list[dict[str, Any]] = []
    for family in (
        list(_of_answers(answers, models, seed)),
        list(_of_evidence(maps, models, seed)),
    ):
        decisions = decide([row["difference"] for row in family], [row["p"] for row in family])
        rows += [
            row | asdict(found) | {"answer": str(found.answer)}
            for row, found in zip(family, decisions, strict=True)
        ]
    typed = dict.fromkeys(("only_a", "only_b"), "Int64")
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(typed)


def changed_answers(answers: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """One row an image and pair of models that do not answer the same class: CHANGED, by KINDS, then as the images are.

    Args:
        answers: `model`, `image_id`, `label`, `class_name`, `probability` and `correct`.
        models: in the study's order.
    """
    rows = []
    for a, b in pairs_of(models):
        both = _both(answers, a, b)
        for row in both[both["class_name_a"] != both["class_name_b"]].to_dict("records"):
            rows.append(
                {
                    "image_id": row["image_id"],
                    "model_a": a,
                    "model_b": b,
                    "change": _change(row["correct_a"], row["correct_b"]),
                    "label": row["label_a"],
                    **{f"class_{side}": row[f"class_name_{side}"] for side in "ab"},
                    **{
                        f"{name}_{side}": row[f"{name}_{side}"]
                        for name in ("probability", "correct")
                        for side in "ab"
                    },
                }
            )
    rows.sort(key=lambda row: KINDS.index(row["change"]))
    typed = dict.fromkeys(("correct_a", "correct_b"), "boolean")
    return pd.DataFrame(rows, columns=list(CHANGED)).astype(typed)


def _change(before: Any, after: Any) -> str:
    if pd.isna(before) or pd.isna(after):
        return "not_labelled"
    return f"{'right' if before else 'wrong'}_to_{'right' if after else 'wrong'}"


def _both(answers: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """The images that both answer, in the first one's order, their columns with _a and _b."""
    first, second = (answers[answers["model"] == model].drop(columns=["model"]) for model in (a, b))
    return first.merge(second, on="image_id", suffixes=("_a", "_b"))


def _of_answers(answers: pd.DataFrame, models: Sequence[str], seed: int) -> Iterator[dict[str, Any]]:
    for a, b in pairs_of(models):
        both = _both(answers, a, b)
        for metric in OF_ANSWERS:
            first, second = (both[f"{metric}_{side}"].astype("Float64") for side in "ab")
            row = _row(ANSWERS, metric, None, None, a, b, first, second, (-1, 1))
            if metric == "correct":
                known = (first.notna() & second.notna()).to_numpy()
                right_a, right_b = (side[known].to_numpy(np.float64).astype(bool) for side in (first, second))
                row |= {
                    "only_a": int((right_a & ~right_b).sum()),
                    "only_b": int((right_b & ~right_a).sum()),
                    "p": mcnemar_p(right_a, right_b),
                }
            else:
                row |= {"p": _flipped(first, second, seed)}
            yield row


def _of_evidence(maps: pd.DataFrame, models: Sequence[str], seed: int) -> Iterator[dict[str, Any]]:
    for method in dict.fromkeys(maps["method"]):
        of_method = maps[maps["method"] == method]
        for a, b in pairs_of(models):
            for question, metric in OF_EVIDENCE:
                asked = of_method[of_method[question].astype(bool)]
                first, second = _aligned(asked, a, b, metric, same_class=question == SAME_CLASS)
                row = _row(EVIDENCE, metric, question, method, a, b, first, second, (-1, 1))
                if row["n"]:
                    yield row | {"p": _flipped(first, second, seed)}


def _aligned(
    maps: pd.DataFrame, a: str, b: str, metric: str, *, same_class: bool
) -> tuple[pd.Series, pd.Series]:
    """A metric of both models by image; of the classes that both have a map of where it is the same class."""
    on = ["image_id", "class_name"] if same_class else ["image_id"]
    first, second = (maps.loc[maps["model"] == model, [*on, metric]] for model in (a, b))
    both = first.merge(second, on=on, suffixes=("_a", "_b"))
    values = both[["image_id"]].assign(
        a=pd.to_numeric(both[f"{metric}_a"]).astype("Float64"),
        b=pd.to_numeric(both[f"{metric}_b"]).astype("Float64"),
    )
    known = values["a"].notna() & values["b"].notna()
    means = values.assign(a=values["a"].where(known), b=values["b"].where(known)).groupby(
        "image_id", sort=False
    )
    return means["a"].mean(), means["b"].mean()


def _flipped(first: pd.Series, second: pd.Series, seed: int) -> float | None:
    differences = (second - first).dropna().to_numpy(np.float64)
    return sign_flip_p(differences, seed=seed)


def _row(
    family: str,
    metric: str,
    question: str | None,
    method: str | None,
    a: str,
    b: str,
    first: pd.Series,
    second: pd.Series,
    bounds: tuple[float, float],
) -> dict[str, Any]:
    values = [side.to_numpy(np.float64, na_value=np.nan) for side in (first, second)]
    known = np.isfinite(values[0]) & np.isfinite(values[1])
    found = paired_difference(values[1], values[0], bounds=bounds)
    means = [float(side[known].mean()) if known.any() else None for side in values]
    return {
        "family": family,
        "metric": metric,
        "question": question,
        "method": method,
        "model_a": a,
        "model_b": b,
        "value_a": means[0],
        "value_b": means[1],
        "only_a": None,
        "only_b": None,
        "difference": found.mean,
        **interval_columns(found),
    }
