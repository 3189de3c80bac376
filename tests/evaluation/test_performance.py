"""Accuracy, recall, precision and confusions are scikit-learn's; intervals are exact; nothing is found in nothing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from xai_assets.evaluation import calibration
from xai_assets.evaluation.performance import (
    COLUMNS,
    CONFUSIONS,
    confusions,
    model_performance,
    with_error_ranks,
)  # fmt: skip


def answers(labels, predicted, probability=None):
    """One row an image; None in `labels`: no label; "several": several labels, one of which is the answer."""
    n = len(labels)
    probability = np.full(n, 0.9) if probability is None else probability
    rows = []
    for at, (label, answer, p) in enumerate(zip(labels, predicted, probability, strict=True)):
        one = label is not None and label != "several"
        rows.append(
            {
                "image_id": f"{at:04}",
                "label": None if label is None else str(label),
                "label_index": label if one else None,
                "label_name": f"class {label}" if one else None,
                "label_probability": None,
                "predicted_index": answer,
                "predicted_name": f"class {answer}",
                "probability": float(p),
                "correct": None if label is None else label in ("several", answer),
                "label_suspected": None,
                "model": "m",
                "model_sha256": "0",
            }
        )
    return with_error_ranks(pd.DataFrame(rows).astype({"label_index": "Int64", "correct": "boolean"}))


def of(table, metric, index=None):
    rows = table[table["metric"] == metric]
    if index is not None:
        rows = rows[rows["class_index"] == index]
    (row,) = rows.to_dict("records")
    return row


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=40))
def test_they_are_those_of_scikit_learn(pairs):
    labels, predicted = map(list, zip(*pairs, strict=True))
    given_ = answers(labels, predicted)
    found = model_performance(given_)
    assert of(found, "accuracy")["value"] == pytest.approx(metrics.accuracy_score(labels, predicted))
    known = sorted({*labels, *predicted})
    precision, recall, _, support = metrics.precision_recall_fscore_support(
        labels, predicted, labels=known, zero_division=np.nan
    )
    for at, index in enumerate(known):
        one = of(found, "recall", index), of(found, "precision", index)
        assert [row["value"] if row["n"] else np.nan for row in one] == pytest.approx(
            [recall[at], precision[at]], nan_ok=True
        )
        assert (one[0]["n"], one[1]["n"]) == (support[at], predicted.count(index))
    matrix = np.zeros((len(known), len(known)), dtype=int)
    for row in confusions(given_).itertuples():
        matrix[known.index(row.label_index), known.index(row.predicted_index)] = row.images
    assert (matrix == metrics.confusion_matrix(labels, predicted, labels=known)).all()


def test_a_share_has_its_exact_interval():
    found = model_performance(answers([0] * 12 + [1] * 8, [0] * 9 + [1] * 11))
    theirs = stats.binomtest(9, 12).proportion_ci(0.95, method="exact")
    row = of(found, "recall", 0)
    assert (row["value"], row["low"], row["high"], row["n"]) == (
        0.75, pytest.approx(theirs.low), pytest.approx(theirs.high), 12,
    )  # fmt: skip
    assert of(found, "precision", 1)["value"] == pytest.approx(8 / 11)
    assert of(found, "accuracy")["reference"] == 0.6


def test_a_class_that_is_never_answered_misses_most_of_its_images():
    found = model_performance(answers([0] * 12 + [1] * 12, [0] * 24))
    assert (of(found, "recall", 1)["value"], of(found, "recall", 1)["answer"]) == (0, "no")
    never = of(found, "precision", 1)
    assert never["n"] == 0 and pd.isna(never["value"]) and pd.isna(never["low"])
    few = model_performance(answers([0] * 12 + [1] * 3, [0] * 15))
    assert of(few, "recall", 1)["answer"] == "cannot_tell"


def test_an_image_of_several_labels_counts_in_the_accuracy_alone():
    found = model_performance(answers([0, 0, "several", None], [0, 1, 1, 0]))
    row = of(found, "accuracy")
    assert (row["value"], row["n"], row["excluded"]) == (pytest.approx(2 / 3), 3, 1)
    assert pd.isna(row["reference"])  # of several labels no constant answer is the most frequent
    assert confusions(answers([0, 0, "several"], [0, 1, 1]))["images"].tolist() == [1, 1]


def test_without_labels_nothing_is_known():
    found = model_performance(answers([None, None], [0, 1]))
    assert found["metric"].tolist() == ["accuracy"] and found["value"].isna().all()
    assert list(found.columns) == list(COLUMNS)
    assert list(confusions(answers([None], [0])).columns) == list(CONFUSIONS)


def test_errors_are_ordered_by_how_sure_the_model_is():
    found = answers([0, 0, 0, None, 1], [0, 1, 2, 1, 0], [0.99, 0.5, 0.8, 0.9, 0.8])
    assert found["error_rank"].tolist() == [pd.NA, 3, 1, pd.NA, 2]


def test_the_pair_with_the_most_errors_is_first():
    found = confusions(
        answers([0] * 10 + [1] * 5 + [2] * 4, [0] * 8 + [1] * 2 + [1] * 2 + [2] * 3 + [0] + [2] * 3)
    )
    first = found[found["error_rank"] == 1].iloc[0]
    assert (first["label_index"], first["predicted_index"], first["images"], first["share"]) == (1, 2, 3, 0.6)
    assert found.loc[found["label_index"] == found["predicted_index"], "error_rank"].isna().all()


def test_no_class_is_decided_where_the_model_knows_half_of_each(monkeypatch):
    monkeypatch.setattr(calibration, "SIMULATIONS", 1)
    generator = np.random.default_rng(3)
    wrong = 0
    for _ in range(200):
        labels = np.repeat(np.arange(5), 12)
        predicted = np.where(generator.random(60) < 0.5, labels, (labels + 1) % 5)
        found = model_performance(answers(labels.tolist(), predicted.tolist()))
        wrong += bool((found.loc[found["metric"] == "recall", "answer"] != "cannot_tell").any())
    assert wrong / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
