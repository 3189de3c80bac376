"""Thresholds of suspected labels are those of confident learning; confusions leave suspected labels out."""

import numpy as np
import pandas as pd
import pytest

from tests.evaluation.test_label_errors import drawn, found_of
from xai_assets.evaluation.label_errors import FEWEST
from xai_assets.evaluation.performance import confusions, with_error_ranks
from xai_assets.evaluation.suspected_labels import QUALITY, SUSPECTED, label_quality, suspected_labels
from xai_assets.resources.tables import TABLES


def answers(probabilities, labels, wrong):
    n = len(labels)
    best = probabilities.argmax(axis=1)
    table = pd.DataFrame(
        {
            "image_id": [f"{at:04}" for at in range(n)],
            "label_index": labels,
            "label_name": [f"class {one}" for one in labels],
            "label_probability": probabilities[np.arange(n), labels],
            "predicted_index": best,
            "predicted_name": [f"class {one}" for one in best],
            "probability": probabilities.max(axis=1),
            "correct": best == labels,
            "label_wrong": wrong,
            "label_suspected": wrong > 0.5,
        }
    )
    return with_error_ranks(table)


def confident_joint(probabilities, labels):
    """Equation 1 of Northcutt et al. 2021, image by image: where each is counted, None where nowhere."""
    k = probabilities.shape[1]
    thresholds = [
        np.mean([p[j] for p, label in zip(probabilities, labels, strict=True) if label == j])
        for j in range(k)
    ]
    counted = []
    for p in probabilities:
        reached = [j for j in range(k) if p[j] >= thresholds[j]]
        counted.append(max(reached, key=lambda j: p[j]) if reached else None)
    return thresholds, counted


@pytest.fixture(scope="module")
def case():
    probabilities, labels, exchanged = drawn(400, share=0.08, seed=2)
    found = found_of(probabilities, labels)
    return probabilities, labels, exchanged, found, answers(probabilities, labels, found.wrong)


def test_thresholds_are_those_of_confident_learning(case):
    probabilities, labels, _, _, table = case
    thresholds, counted = confident_joint(probabilities, labels)
    suspected = suspected_labels(table)
    assert list(suspected.columns) == list(SUSPECTED) == list(TABLES["suspected_labels"].columns)
    assert suspected["suspicion_rank"].tolist() == list(range(1, len(suspected) + 1)) and len(suspected) > 10
    for row in suspected.itertuples():
        at = int(row.image_id)
        assert row.usual_suggested_probability == pytest.approx(thresholds[row.suggested_index])
        assert row.usual_label_probability == pytest.approx(thresholds[row.label_index])
        assert row.confident == (counted[at] == row.suggested_index)
        assert row.suggested_name in row.evidence and row.label_name in row.evidence
    assert suspected["label_wrong"].is_monotonic_decreasing


def test_the_list_is_better_than_the_published_rule_with_a_model_that_errs():
    ours, theirs, of_ours, of_theirs = 0, 0, 0, 0
    for seed in range(4):
        probabilities, labels, exchanged = drawn(400, share=0.05, sure=3.0, seed=seed)
        listed = found_of(probabilities, labels).wrong > 0.5
        _, counted = confident_joint(probabilities, labels)
        published = np.array([c is not None and c != label for c, label in zip(counted, labels, strict=True)])
        ours, of_ours = ours + exchanged[listed].sum(), of_ours + listed.sum()
        theirs, of_theirs = theirs + exchanged[published].sum(), of_theirs + published.sum()
    assert ours / of_ours > theirs / of_theirs + 0.1


def test_what_the_labels_come_to_is_one_row(case):
    *_, found, table = case
    quality = label_quality(table, found)
    assert list(quality.columns) == list(QUALITY) == list(TABLES["label_quality"].columns)
    (row,) = quality.to_dict("records")
    assert (row["labels"], row["suspected"], row["answer"], row["excluded"]) == (
        400,
        found.suspected,
        "yes",
        0,
    )
    none = label_quality(table.assign(label_index=None), found_of(np.zeros((0, 3)), np.zeros(0, int)))
    assert (none["labels"].item(), none["excluded"].item(), none["fewest"].item()) == (0, 400, FEWEST)
    assert np.isnan(none["share"].item())


def test_moved_labels_are_no_confusions(case):
    *_, table = case
    pairs = confusions(table)
    assert pairs["suspected"].sum() == table["label_suspected"].sum()
    ranked = pairs[pairs["error_rank"].notna()].sort_values("error_rank")
    others = (ranked["images"] - ranked["suspected"]).tolist()
    assert others == sorted(others, reverse=True) and min(others) > 0
    errors = pairs[pairs["label_index"] != pairs["predicted_index"]]
    gone = errors[errors["images"] == errors["suspected"]]
    assert len(gone) and gone["error_rank"].isna().all()
    assert table.loc[table["label_suspected"], "error_rank"].isna().all()
