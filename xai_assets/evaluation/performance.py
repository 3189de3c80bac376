"""How well a classifier does on labelled images: accuracy, recall and precision of each class, confusions, calibration.

Everything is made from one row an image (ANSWERS). An image with several labels counts as right where the answer is one
of them; it has no place in a confusion matrix, and is left out of the numbers of single classes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from xai_assets.evaluation.calibration import BINS, calibration_error
from xai_assets.evaluation.comparison import DECIDED, INTERVAL, interval_columns
from xai_assets.evaluation.decision import LEVEL, Answer, decide
from xai_assets.evaluation.intervals import Interval, mean_interval, share_interval

ANSWERS = (
    "image_id", "label", "label_index", "label_name", "label_probability", "predicted_index", "predicted_name",
    "probability", "correct", "label_wrong", "label_suspected", "error_rank", "model", "model_sha256", "artifact",
    "artifact_row",
)  # fmt: skip
"""The columns that are read and made; see the table `answers`."""

COLUMNS = ("metric", "class_index", "class_name", "value", *INTERVAL, "reference", *DECIDED)

CONFUSIONS = (
    "label_index", "label_name", "predicted_index", "predicted_name", "images", "share", *INTERVAL, "suspected",
    "error_rank",
)  # fmt: skip

BIASED = f"none: biased upwards, more so the fewer images a bin has; {BINS} bins of equal width"
HALF = 0.5
"""What the recall of a class is compared with: below it, the model misses most of the class's images."""


def with_error_ranks(answers: pd.DataFrame) -> pd.DataFrame:
    """The rows with `error_rank`: 1 for the wrong answer with the highest probability; NULL of all others.

    An answer whose label is suspected has none either: it is not known to be a mistake of the model.
    """
    wrong = answers[answers["correct"].astype("boolean").eq(False).fillna(False) & ~suspected(answers)]
    ordered = wrong.sort_values(["probability", "image_id"], ascending=[False, True]).index
    ranks = pd.Series(np.arange(1, len(ordered) + 1), index=ordered, dtype="Int64")
    return answers.assign(error_rank=ranks.reindex(answers.index))


def suspected(answers: pd.DataFrame) -> pd.Series:
    """Whether the label of each answer is suspected, bool; see `evaluation.label_errors`."""
    return answers["label_suspected"].astype("boolean").fillna(False).astype(bool)


def model_performance(answers: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """The numbers of all images and of each class, one row a metric and class.

    `accuracy` (reference: the share of the most frequent label, which a constant answer gets), `confidence` (the mean
    probability of the answers), `overconfidence` (confidence less accuracy), `ece` (reference: its mean for a calibrated
    model; decided whether it is above), and of each class that is a label or an answer `recall` (decided whether it is
    above or below HALF, all classes one family) and `precision`.

    Args:
        answers: ANSWERS; an image without a label that the model has, has no `correct`.
        seed: of the simulations.

    Returns:
        COLUMNS. Without labels there is the row of `accuracy` alone, with no value.
    """
    known = answers[answers["correct"].notna()]
    right = known["correct"].astype(bool).to_numpy()
    single = known[known["label_index"].notna()]
    of_all = share_interval([*right.astype(float), *[None] * (len(answers) - len(known))])
    rows = [_row("accuracy", of_all, reference=_majority(single) if len(single) == len(known) else None)]
    if len(known):
        probability = known["probability"].to_numpy(dtype=np.float64)
        rows.append(_row("confidence", mean_interval(probability, bounds=(0, 1))))
        rows.append(_row("overconfidence", mean_interval(probability - right, bounds=(-1, 1))))
        rows.append(_calibration(probability, right, seed))
        rows += _classes(single)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def confusions(answers: pd.DataFrame) -> pd.DataFrame:
    """The confusion matrix over images with one label, one row a label and answer that occur.

    Returns:
        CONFUSIONS, in the order of labels and answers. `share` is that of the label's images; `suspected` counts those of
        the pair's images whose label is suspected, and `error_rank` is 1 for the pair of two classes with the most
        others, of equal ones that with the larger share. A pair that has no others has none.
    """
    single = answers[answers["correct"].notna() & answers["label_index"].notna()]
    totals = single["label_index"].value_counts()
    rows = []
    key = ["label_index", "label_name", "predicted_index", "predicted_name"]
    for (label, label_name, predicted, predicted_name), of in single.groupby(key, sort=True):
        count, n = len(of), int(totals[label])
        found = share_interval([1.0] * count + [0.0] * (n - count))
        rows.append(
            {
                "label_index": int(label),
                "label_name": label_name,
                "predicted_index": int(predicted),
                "predicted_name": predicted_name,
                "images": count,
                "share": found.mean,
                **interval_columns(found),
                "suspected": int(suspected(of).sum()),
            }
        )
    table = pd.DataFrame(rows, columns=list(CONFUSIONS))
    errors = table[table["label_index"] != table["predicted_index"]]
    errors = errors.assign(others=errors["images"] - errors["suspected"]).query("others > 0")
    errors = errors.assign(share=errors["others"] / errors["n"])
    ordered = errors.sort_values(["others", "share"], ascending=False, kind="stable").index
    ranks = pd.Series(np.arange(1, len(ordered) + 1), index=ordered, dtype="Int64")
    return table.assign(error_rank=ranks.reindex(table.index))


def _majority(single: pd.DataFrame) -> float | None:
    return float(single["label_index"].value_counts(normalize=True).max()) if len(single) else None


def _calibration(probability: np.ndarray, right: np.ndarray, seed: int) -> dict[str, Any]:
    found = calibration_error(probability, right, seed=seed)
    above = found.value > found.calibrated and found.p < LEVEL
    return _row("ece", Interval(found.value, None, None, found.n, 0, BIASED), reference=found.calibrated) | {
        "p": found.p,
        "p_holm": found.p,
        "family_size": 1,
        "answer": str(Answer.YES if above else Answer.CANNOT_TELL),
    }


def _classes(single: pd.DataFrame) -> Iterable[dict[str, Any]]:
    labels, predicted = single["label_index"].astype(int), single["predicted_index"].astype(int)
    right = (labels == predicted).astype(float)
    names = dict(zip(predicted, single["predicted_name"], strict=True)) | dict(
        zip(labels, single["label_name"], strict=True)
    )
    recall = {at: share_interval(right[labels == at]) for at in sorted(names)}
    asked = [at for at, found in recall.items() if found.n]
    for at, decided in zip(asked, _below_or_above_half([recall[at] for at in asked]), strict=True):
        yield _row("recall", recall[at], at, names[at], reference=HALF) | decided
    for at, found in recall.items():
        if not found.n:
            yield _row("recall", found, at, names[at])
    for at in recall:
        yield _row("precision", share_interval(right[predicted == at]), at, names[at])


def _below_or_above_half(recall: Sequence[Interval]) -> Iterable[dict[str, Any]]:
    """The decision of each class, all of them one family, by the exact binomial test."""
    p, differences = [], []
    for found in recall:
        assert found.mean is not None
        p.append(float(stats.binomtest(round(found.mean * found.n), found.n, HALF).pvalue))
        differences.append(found.mean - HALF)
    for one in decide(differences, p):
        yield asdict(one) | {"answer": str(one.answer)}


def _row(
    metric: str,
    found: Interval,
    index: int | None = None,
    name: str | None = None,
    *,
    reference: float | None = None,
) -> dict[str, Any]:
    return {
        "metric": metric,
        "class_index": index,
        "class_name": name,
        "value": found.mean,
        **interval_columns(found),
        "reference": reference,
    }
