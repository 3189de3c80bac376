"""A sample has the surest failures of each pair, a right answer of the class beside each, and a draw from all images."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from xai_assets.evaluation.explained_sample import COLUMNS, explained_sample


def answers(*rows):
    table = pd.DataFrame(rows, columns=["image_id", "label", "predicted_index", "probability", "correct"])
    return table.astype({"correct": "boolean"}).assign(label_wrong=0.0, label_suspected=False)


SOME = answers(
    ("a", "dog", 1, 0.9, False), ("b", "dog", 1, 0.8, False), ("c", "dog", 1, 0.95, False), ("d", "dog", 2, 0.3, False),
    ("e", "dog", 0, 0.91, True), ("f", "dog", 0, 0.99, True), ("g", "cat", 0, 0.6, False), ("h", None, 0, 0.5, None),
)  # fmt: skip


def test_the_surest_of_each_pair_and_right_answers_of_near_probability():
    found = explained_sample(SOME, failures=2, successes=True, random=0, seed=0)
    rows = list(found.itertuples(index=False, name=None))
    assert [name for name, reason, _ in rows if reason == "failure"] == ["c", "a", "g", "d"]
    # c chooses first; nothing is left for d, and no cat was right.
    assert [(name, of) for name, reason, of in rows if reason == "success"] == [("e", "c"), ("f", "a")]


def test_nothing_but_a_draw_which_follows_from_the_seed():
    draw = [explained_sample(SOME, failures=0, successes=True, random=3, seed=seed) for seed in (1, 1, 2)]
    assert draw[0].equals(draw[1]) and not draw[0].equals(draw[2])
    assert draw[0]["reason"].eq("random").all() and draw[0]["image_id"].nunique() == 3
    assert len(explained_sample(SOME, failures=0, successes=False, random=99, seed=0)) == len(SOME)
    none = explained_sample(SOME.iloc[:0], failures=3, successes=True, random=3, seed=0)
    assert none.empty and list(none.columns) == list(COLUMNS)


def test_a_draw_takes_each_image_equally_often():
    counts = pd.Series(0, index=SOME["image_id"])
    for seed in range(800):
        counts[explained_sample(SOME, failures=0, successes=False, random=2, seed=seed)["image_id"]] += 1
    assert np.abs(counts / 800 - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / 800)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 2), st.floats(0.2, 1)), max_size=30),
    st.integers(0, 3),
)
def test_pairs_have_at_most_so_many_and_no_success_serves_twice(rows, most):
    given_ = answers(*[(f"{at}", label, to, p, "xyz"[to] == label) for at, (label, to, p) in enumerate(rows)])
    found = explained_sample(given_, failures=most, successes=True, random=0, seed=0)
    chosen = found.merge(given_, on="image_id")
    assert chosen["image_id"].is_unique
    assert (chosen["correct"] == (chosen["reason"] == "success")).all()
    failures = chosen[chosen["reason"] == "failure"]
    wrong = given_[~given_["correct"].astype(bool)]
    expected = wrong.groupby(["label", "predicted_index"]).size().clip(upper=most)
    assert failures.groupby(["label", "predicted_index"]).size().to_dict() == expected[expected > 0].to_dict()
    for row in chosen[chosen["reason"] == "success"].itertuples():
        assert given_.set_index("image_id").loc[row.matched_to, "label"] == row.label


def test_a_suspected_label_is_no_failure_and_is_explained_beside_them():
    doubted = SOME.assign(label_wrong=[0.9, 0.6, 0.95, 0, 0, 0, 0, 0]).assign(
        label_suspected=lambda of: of["label_wrong"] > 0.5
    )
    found = explained_sample(doubted, failures=2, successes=True, random=0, seed=0)
    rows = list(found.itertuples(index=False, name=None))
    assert [name for name, reason, _ in rows if reason == "failure"] == ["g", "d"]
    assert [name for name, reason, _ in rows if reason == "suspected"] == ["c", "a"]
    assert {of for _, reason, of in rows if reason == "success"} <= {"g", "d"}
