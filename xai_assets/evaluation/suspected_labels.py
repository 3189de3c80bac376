"""The labels that are suspected, with what speaks against each, and what a study's labels come to all together."""

from typing import Any

import numpy as np
import pandas as pd

from xai_assets.evaluation.comparison import DECIDED, INTERVAL
from xai_assets.evaluation.label_errors import FEWEST, NONE_FEW, PROFILE, LabelErrors

SUSPECTED = (
    "image_id", "label_index", "label_name", "suggested_index", "suggested_name", "label_probability",
    "suggested_probability", "usual_label_probability", "usual_suggested_probability", "confident", "label_wrong",
    "suspicion_rank", "evidence",
)  # fmt: skip

QUALITY = (
    "labels", "share", *INTERVAL, "temperature", "suspected", "expected_precision", "expected_recall", *DECIDED,
)  # fmt: skip


def suspected_labels(answers: pd.DataFrame) -> pd.DataFrame:
    """One row a suspected label, the most suspicious first.

    What is suggested is the model's answer. Beside the two probabilities stands what the model gives the same classes on
    average where images are labelled so: the thresholds of confident learning (Northcutt et al. 2021,
    doi:10.1613/jair.1.12125, equation 2). `confident` says whether the answer reaches its own, so that the published rule
    counts the image against its label too.

    Args:
        answers: as the table `answers`.

    Returns:
        SUSPECTED.
    """
    single = answers[answers["label_index"].notna()]
    usual = single.astype({"label_probability": float}).groupby("label_index")["label_probability"].mean()
    found = single[single["label_suspected"].astype("boolean").fillna(False).astype(bool)]
    found = found.sort_values(["label_wrong", "probability", "image_id"], ascending=[False, False, True])
    rows = [_row(row, usual, rank) for rank, row in enumerate(found.to_dict("records"), 1)]
    return pd.DataFrame(rows, columns=list(SUSPECTED))


def _row(row: dict[str, Any], usual: pd.Series, rank: int) -> dict[str, Any]:
    label, answer = int(row["label_index"]), int(row["predicted_index"])
    threshold = float(usual[answer]) if answer in usual.index else None
    confident = None if threshold is None else bool(row["probability"] >= threshold)
    of_label = float(row["label_probability"])
    beside = (
        "no image is labelled so"
        if threshold is None
        else f"images labelled so have {threshold:.3f} on average"
    )
    return {
        "image_id": row["image_id"],
        "label_index": label,
        "label_name": row["label_name"],
        "suggested_index": answer,
        "suggested_name": row["predicted_name"],
        "label_probability": of_label,
        "suggested_probability": float(row["probability"]),
        "usual_label_probability": float(usual[label]),
        "usual_suggested_probability": threshold,
        "confident": confident,
        "label_wrong": float(row["label_wrong"]),
        "suspicion_rank": rank,
        "evidence": (
            f"{row['predicted_name']} has {row['probability']:.3f} ({beside}), {row['label_name']} {of_label:.2g} "
            f"({usual[label]:.3f}); probability that the label is wrong {row['label_wrong']:.3f}"
        ),
    }


def label_quality(answers: pd.DataFrame, found: LabelErrors) -> pd.DataFrame:
    """One row: how many labels are probably wrong, and what the list of them is worth.

    Args:
        answers: as the table `answers`.
        found: what the labels come to.

    Returns:
        QUALITY. `share` has no value for fewer labels than FEWEST.
    """
    row = {
        "labels": found.n,
        "share": found.share,
        "low": found.low,
        "high": found.high,
        "interval": NONE_FEW if found.share is None else PROFILE,
        "n": found.n,
        "excluded": len(answers) - found.n,
        "temperature": found.temperature,
        "suspected": found.suspected,
        "expected_precision": found.precision,
        "expected_recall": found.recall,
        "p": found.p,
        "p_holm": found.p,
        "family_size": int(found.p is not None),
        "fewest": FEWEST,
        "answer": str(found.answer),
    }
    floats = ["share", "low", "high", "temperature", "expected_precision", "expected_recall", "p", "p_holm"]
    return pd.DataFrame([row], columns=list(QUALITY)).astype(dict.fromkeys(floats, np.float64))
