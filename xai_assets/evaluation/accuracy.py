"""How often the explained model is right about the images of the study that have a label."""

import pandas as pd

from xai_assets.evaluation.comparison import INTERVAL, interval_columns
from xai_assets.evaluation.intervals import share_interval

SURE = 0.5
"""A larger probability is a sure answer: the class has more than all others together."""

COLUMNS = (
    "model", "images", "labelled", "unknown", "correct", "unsure", "sure_above", "accuracy", *INTERVAL, "domain",
    "in_domain",
)  # fmt: skip


def is_sure(probability: float) -> bool:
    """Whether an answer of that probability, 0 to 1, is a sure one."""
    return probability > SURE


def prediction_summary(predictions: pd.DataFrame) -> pd.DataFrame:
    """Accuracy over the labelled images with its exact interval, one row a model.

    Args:
        predictions: `image_id`, `model`, `label`, `sure` and `correct` (NULL where an image has no label that the model
            has); the classes of an image have one prediction. `domain` and `in_domain` are the same in all rows of a
            model.

    Returns:
        COLUMNS. `labelled` counts the images with a label that the model has, `unknown` those that have labels, none of
        which it has: its answer is neither right nor wrong. `accuracy` is None and there is no interval where no image
        is labelled; `excluded` counts the others.
    """
    rows = []
    for model, of in predictions.drop_duplicates(["model", "image_id"]).groupby("model", sort=False):
        known = of["correct"].dropna().astype(bool)
        found = share_interval([None] * (len(of) - len(known)) + known.astype(float).tolist())
        rows.append(
            {
                "model": model,
                "images": len(of),
                "labelled": len(known),
                "unknown": int((of["label"].notna() & of["correct"].isna()).sum()),
                "correct": int(known.sum()),
                "unsure": int((~of["sure"].astype(bool)).sum()),
                "sure_above": SURE,
                "accuracy": found.mean,
                **interval_columns(found),
                "domain": of["domain"].iloc[0],
                "in_domain": of["in_domain"].iloc[0],
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))
