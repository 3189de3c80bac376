"""What a model's answers come to: with scikit-learn and scipy, from the table `answers`."""

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import confusion_matrix

from tests.rederived import formulas
from tests.rederived.compared import Found, records
from tests.rederived.of_images import mean_columns

EDGES = np.arange(1, 16) / 15
"""Upper ends of the bins of the reliability curve."""


def model_performance(tables, found: Found):
    answers = tables["answers"]
    known = answers[answers["correct"].notna()]
    right, probability = known["correct"].astype(float).to_numpy(), known["probability"].to_numpy(float)
    rows = records(tables["model_performance"])
    single = known[known["label_index"].notna()].astype({"label_index": int, "predicted_index": int})
    classes = sorted({*single["label_index"], *single["predicted_index"]})
    whole = ["accuracy", *(["confidence", "overconfidence", "ece"] if len(known) else [])]
    found.keys(
        "model_performance",
        ((row["metric"], row["class_index"]) for row in rows),
        [*((name, None) for name in whole), *((m, at) for m in ("recall", "precision") for at in classes)],
    )
    recalls = []
    for row in rows:
        where = f"model_performance {row['metric']} {row['class_index']}"
        of = right, None
        if row["metric"] == "recall":
            own = single[single["label_index"] == row["class_index"]]
            of = (own["predicted_index"] == row["class_index"]).to_numpy(float), 0.5 if len(own) else None
        elif row["metric"] == "precision":
            own = single[single["predicted_index"] == row["class_index"]]
            of = (own["label_index"] == row["class_index"]).to_numpy(float), None
        elif row["metric"] == "accuracy" and len(single) == len(known) and len(known):
            of = right, np.bincount(single["label_index"]).max() / len(single)
        if row["metric"] in ("confidence", "overconfidence"):
            values = probability - (right if row["metric"] == "overconfidence" else 0)
            low = -1.0 if row["metric"] == "overconfidence" else 0.0
            expected = mean_columns(None, values, (low, 1.0)) | {"reference": None}
        elif row["metric"] == "ece":
            _calibration(row, probability, right, where, found)
            continue
        else:
            expected = _share(of[0]) | {"reference": of[1]}
            expected["excluded"] = len(answers) - len(known) if row["metric"] == "accuracy" else 0
        expected["value"] = expected.pop("mean")
        if row["metric"] == "recall" and row["n"]:
            expected["p"] = float(stats.binomtest(int(of[0].sum()), len(of[0])).pvalue)
            recalls.append(row)
        else:
            expected |= dict.fromkeys(("p", "p_holm", "answer"))
        found.check(where, row, expected)
    found.family("model_performance recall", recalls, lambda row: row["value"] - 0.5)


def _share(values):
    n = len(values)
    low, high = formulas.exact_share(values.sum(), n) if n > 1 else formulas.NOTHING
    return {"mean": float(values.mean()) if n else None, "low": low, "high": high, "n": n}


def _error(probability, right):
    bins = np.searchsorted(EDGES + 1e-12, probability)
    groups = [(probability[bins == at], right[bins == at]) for at in np.unique(bins)]
    return sum(len(p) * abs(p.mean() - r.mean()) for p, r in groups) / len(probability)


def _calibration(row, probability, right, where, found: Found):
    """The error, and by other draws what a calibrated model has."""
    value, generator = _error(probability, right), np.random.default_rng(11)
    drawn = np.array(
        [_error(probability, (generator.random(len(right)) < probability).astype(float)) for _ in range(1000)]
    )
    p = (drawn >= value - 1e-12).mean()
    expected = {"value": value, "n": len(right), "low": None, "high": None, "reference": drawn.mean(), "p": p}
    within = {"reference": 5 * drawn.std() / np.sqrt(1000) + 1e-6, "p": 5 * np.sqrt(p * (1 - p) / 900) + 2e-3}
    expected["answer"] = "yes" if row["value"] > row["reference"] and row["p"] < 0.05 else "cannot_tell"
    found.check(where, row, expected | {"p_holm": row["p"], "family_size": 1}, within)


def confusions(tables, found: Found):
    answers = tables["answers"]
    single = answers[answers["correct"].notna() & answers["label_index"].notna()]
    labels, predicted = single["label_index"].astype(int), single["predicted_index"].astype(int)
    classes = sorted({*labels, *predicted})
    matrix = confusion_matrix(labels, predicted, labels=classes) if classes else np.zeros((0, 0), int)
    place = {index: at for at, index in enumerate(classes)}
    listed = single["label_suspected"].fillna(False).astype(bool)
    doubted = (
        confusion_matrix(labels[listed], predicted[listed], labels=classes) if listed.any() else 0 * matrix
    )
    rows = records(tables["confusions"])
    occur = [(classes[a], classes[b]) for a, b in zip(*np.nonzero(matrix), strict=True)]
    found.keys("confusions", ((row["label_index"], row["predicted_index"]) for row in rows), occur)
    before = None
    for row in sorted(rows, key=lambda row: row["error_rank"] or 0):
        a, b = place[row["label_index"]], place[row["predicted_index"]]
        of = np.repeat([1.0, 0.0], [matrix[a, b], matrix[a].sum() - matrix[a, b]])
        expected = _share(of)
        expected["share"] = expected.pop("mean")
        where = f"confusions {row['label_name']} {row['predicted_name']}"
        left = int(matrix[a, b] - doubted[a, b])
        found.check(where, row, expected | {"images": int(matrix[a, b]), "suspected": int(doubted[a, b])})
        found.check(where, {"ranked": row["error_rank"] is not None}, {"ranked": a != b and left > 0})
        if row["error_rank"] is not None:
            this = (left, left / matrix[a].sum())
            found.check(where, {"order": before is None or this <= before}, {"order": True})
            before = this


def reliability_curve(tables, found: Found):
    answers = tables["answers"]
    known = answers[answers["correct"].notna()]
    right, probability = known["correct"].astype(float).to_numpy(), known["probability"].to_numpy(float)
    bins = np.searchsorted(EDGES + 1e-12, probability) + 1
    rows = records(tables["reliability_curve"])
    found.keys("reliability_curve", (row["bin"] for row in rows), np.unique(bins).tolist())
    for row in rows:
        inside = bins == row["bin"]
        expected = _share(right[inside])
        expected["correct"] = expected.pop("mean")
        expected |= {"probability": float(probability[inside].mean()), "bin_low": (row["bin"] - 1) / 15}
        found.check(f"reliability_curve {row['bin']}", row, expected | {"bin_high": row["bin"] / 15})


def error_ranks(tables, found: Found):
    """Of the table `answers`: the surest wrong answer is the first."""
    answers = tables["answers"]
    wrong = answers[answers["correct"].notna() & ~answers["correct"].astype("boolean").fillna(True)]
    wrong = wrong[~wrong["label_suspected"].astype("boolean").fillna(False).astype(bool)]
    ranks = stats.rankdata(-wrong["probability"].to_numpy(float), method="ordinal") if len(wrong) else []
    ordered = pd.Series(ranks, index=wrong.index)
    for at, row in zip(answers.index, records(answers), strict=True):
        expected = int(ordered[at]) if at in ordered.index else None
        found.check(f"answers {row['image_id']}", row, {"error_rank": expected})


def suspected_labels(tables, found: Found):
    """Each label that is more probably wrong than right, and the thresholds of confident learning beside it."""
    answers = tables["answers"].dropna(subset=["label_index"])
    usual = {
        int(index): float(np.mean(of["label_probability"].to_numpy(float)))
        for index, of in answers.groupby("label_index")
    }
    listed = answers[answers["label_wrong"].to_numpy(float) > 0.5].set_index("image_id")
    rows = records(tables["suspected_labels"])
    found.keys("suspected_labels", (row["image_id"] for row in rows), listed.index.tolist())
    for row in rows:
        of = listed.loc[row["image_id"]]
        threshold = usual.get(int(of["predicted_index"]))
        expected = {
            "label_index": int(of["label_index"]),
            "suggested_index": int(of["predicted_index"]),
            "label_probability": float(of["label_probability"]),
            "suggested_probability": float(of["probability"]),
            "usual_label_probability": usual[int(of["label_index"])],
            "usual_suggested_probability": threshold,
            "confident": None if threshold is None else bool(of["probability"] >= threshold),
            "suspicion_rank": 1 + int((listed["label_wrong"].astype(float) > of["label_wrong"]).sum()),
        }
        tied = int((listed["label_wrong"].astype(float) == of["label_wrong"]).sum())
        found.check(f"suspected_labels {row['image_id']}", row, expected, {"suspicion_rank": tied - 0.5})
