"""What a model answers about images, and the tables that follow from it, as a load of `model_performance` makes them."""

import numpy as np
import pandas as pd

from xai_assets.evaluation.calibration import reliability_curve
from xai_assets.evaluation.decision import Answer
from xai_assets.evaluation.label_errors import FEWEST, LabelErrors
from xai_assets.evaluation.performance import ANSWERS, confusions, model_performance, with_error_ranks
from xai_assets.evaluation.suspected_labels import label_quality, suspected_labels
from xai_assets.resources.tables import TABLES
from xai_assets.world.vocabulary import CLASSES


def answers_of(predictions: pd.DataFrame) -> pd.DataFrame:
    """The answers of a study that explains all its images, from its table `predictions`."""
    rows = []
    for row in predictions.drop_duplicates("image_id").to_dict("records"):
        labels = row["label"].split(";")
        one = CLASSES.index(labels[0]) if len(labels) == 1 else None
        rows.append(
            {
                "image_id": row["image_id"],
                "label": row["label"],
                "label_index": one,
                "label_name": None if one is None else labels[0],
                "label_probability": None if one is None else row["probability"],
                "predicted_index": row["predicted_index"],
                "predicted_name": row["predicted_name"],
                "probability": row["predicted_probability"],
                "correct": row["correct"],
                "label_wrong": None if one is None else 0.01,
                "model": row["model"],
                "model_sha256": row["model_sha256"],
            }
        )
    return _typed(rows)


def drawn_answers(
    images: int = 90, *, seed: int = 5, classes: int = 5, names: list[str] | None = None
) -> pd.DataFrame:
    """Answers of a model that confuses class 1 with class 0, is too sure, and never answers the last class."""
    generator = np.random.default_rng(seed)
    names = names or list(CLASSES)
    rows = []
    for at in range(images):
        label = int(generator.integers(classes))
        best = label
        if label == classes - 1 or generator.random() < 0.15:
            best = int(generator.integers(classes - 1))
        if label == 1 and generator.random() < 0.5:
            best = 0
        probability = float(generator.uniform(0.4, 0.999))
        kind = "none" if at % 30 == 7 else "two" if at % 30 == 11 else "one"
        other = names[(label + 1) % classes]
        one = kind == "one"
        rows.append(
            {
                "image_id": f"image-{at:04}",
                "label": None if kind == "none" else names[label] + (f";{other}" if kind == "two" else ""),
                "label_index": label if one else None,
                "label_name": names[label] if one else None,
                "label_probability": None if not one else probability if best == label else (1 - probability) / 2,
                "predicted_index": best,
                "predicted_name": names[best],
                "probability": probability,
                "correct": None if kind == "none" else best == label or (kind == "two" and names[best] == other),
                "label_wrong": None if not one else 0.9 if best != label and at % 4 == 1 else 0.01,
                "model": "diorama/object",
                "model_sha256": "1f" * 32,
            }
        )  # fmt: skip
    return _typed(rows)


def performance_frames(answers: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of a study's answers by name; every image is explained, so that there is no sample."""
    known = answers[answers["correct"].notna()]
    return {
        "answers": answers,
        "model_performance": model_performance(answers),
        "confusions": confusions(answers),
        "reliability_curve": reliability_curve(
            known["probability"].to_numpy(dtype=np.float64), known["correct"].to_numpy(dtype=bool)
        ),
        "suspected_labels": suspected_labels(answers),
        "label_quality": label_quality(answers, _label_errors(answers)),
        "explained_sample": pd.DataFrame(columns=list(TABLES["explained_sample"].columns)),
    }


def _label_errors(answers: pd.DataFrame) -> LabelErrors:
    """As if a share of the labels as large as that of the suspected ones were wrong."""
    wrong = answers["label_wrong"].dropna().to_numpy(dtype=float)
    listed = wrong > 0.5
    if len(wrong) < FEWEST or not listed.any():
        return LabelErrors(wrong, None, None, None, None, None, Answer.CANNOT_TELL, 0, None, None)
    share = float(wrong.mean())
    return LabelErrors(
        wrong, 0.84, share, share / 2, 2 * share, 0.005, Answer.YES, int(listed.sum()), float(wrong[listed].mean()),
        float(wrong[listed].sum() / wrong.sum()),
    )  # fmt: skip


def _typed(rows: list[dict[str, object]]) -> pd.DataFrame:
    table = pd.DataFrame(rows).astype(
        {
            "label_index": "Int64",
            "label_probability": "Float64",
            "label_wrong": "Float64",
            "correct": "boolean",
        }
    )
    table["label_suspected"] = table["label_wrong"].gt(0.5).astype("boolean")
    table["artifact"], table["artifact_row"] = "ab" * 16, range(len(table))
    return with_error_ranks(table)[list(ANSWERS)]
