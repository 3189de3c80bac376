"""Models on the same images: known answers, McNemar's test as others compute it, and nothing found in nothing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from benchmarks.truth import trials
from xai_assets.evaluation.models_tested import changed_answers, model_tests
from xai_assets.evaluation.paired_tests import mcnemar_p, sign_flip_p

MODELS = ["old", "new"]
NO_MAPS = pd.DataFrame(columns=["method"])
FAMILIES = {family: draw for family, kind, draw in trials._families() if kind == "models"}


def answers(**right):
    """Answers of models, by model whether each image is answered right; the probability is that of the label."""
    return pd.DataFrame(
        [
            {
                "model": model,
                "image_id": f"{at}.png",
                "label": "cat",
                "class_name": "cat" if found else f"dog of {model}",
                "probability": 0.9,
                "label_probability": 0.9 if found else 0.1,
                "correct": found,
            }
            for model, of in right.items()
            for at, found in enumerate(of)
        ]
    ).astype({"correct": "boolean"})


def row(tests, metric):
    (found,) = tests[tests["metric"] == metric].to_dict("records")
    return found


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=12))
def test_mcnemar_is_the_sign_test_of_those_that_differ(pairs):
    a, b = np.array(pairs).T
    only = [int((a & ~b).sum()), int((b & ~a).sum())]
    expected = binomtest(only[0], sum(only), 0.5).pvalue if sum(only) else 1.0
    assert mcnemar_p(a, b) == pytest.approx(expected)
    assert mcnemar_p(a, b) == pytest.approx(mcnemar_p(b, a))
    assert mcnemar_p(a, b) == pytest.approx(sign_flip_p(a.astype(float) - b))


def test_only_images_on_which_one_alone_is_right_count():
    a, b = np.array([True] * 8 + [False] * 1 + [True] * 20), np.array([False] * 8 + [True] * 1 + [True] * 20)
    assert mcnemar_p(a, b) == pytest.approx(2 * (1 + 9) / 2**9)
    assert mcnemar_p(a[:1], b[:1]) is None


def test_a_model_that_fails_where_the_first_is_right_is_decided_to_be_worse():
    tests = model_tests(answers(old=[True] * 12, new=[False] * 9 + [True] * 3), NO_MAPS, MODELS, seed=0)
    found = row(tests, "correct")
    assert (found["value_a"], found["value_b"], found["only_a"], found["only_b"]) == (1, 0.25, 9, 0)
    assert found["p"] == pytest.approx(2 / 2**9)
    assert found["answer"] == "no"
    assert row(tests, "label_probability")["difference"] == pytest.approx(-0.8 * 9 / 12)
    assert row(tests, "probability")["answer"] == "cannot_tell"
    assert set(tests["family_size"]) == {3}


def test_the_same_answers_decide_nothing():
    tests = model_tests(answers(old=[True, False] * 9, new=[True, False] * 9), NO_MAPS, MODELS, seed=0)
    assert (tests["answer"] == "cannot_tell").all()
    assert (tests["difference"] == 0).all()
    assert (tests["p"] == 1).all()


def test_an_image_that_one_model_does_not_answer_or_that_has_no_label_is_left_out():
    table = answers(old=[True] * 4, new=[True] * 4)
    table.loc[5, ["correct", "label_probability"]] = pd.NA
    found = model_tests(table[table.index != 7], NO_MAPS, MODELS, seed=0)
    assert row(found, "correct")["n"] == 2
    assert row(found, "probability")["n"] == 3


def test_evidence_is_compared_on_one_class_and_image_means_of_its_classes():
    maps = pd.DataFrame(
        [
            (model, image, name, True, name == "cat", "gradcam", value)
            for model, values in {"old": (0.2, 0.4, 0.9), "new": (0.4, 0.8, None)}.items()
            for (image, name), value in zip([("1", "cat"), ("1", "dog"), ("2", "cat")], values, strict=True)
        ],
        columns=["model", "image_id", "class_name", "same_class", "own_answer", "method", "on_object"],
    ).assign(mask_area=0.5, centre_x=0.5, centre_y=0.5)
    tests = model_tests(answers(old=[True] * 2, new=[True] * 2), maps, MODELS, seed=0)
    on_object = tests[(tests["metric"] == "on_object")].set_index("question")
    same = on_object.loc["same_class"]
    assert (same["value_a"], same["value_b"]) == (pytest.approx(0.3), pytest.approx(0.6))
    assert (same["n"], same["excluded"]) == (1, 1)
    own = on_object.loc["own_answer"]
    assert (own["value_a"], own["value_b"]) == (pytest.approx(0.2), pytest.approx(0.4))


def test_changed_answers_say_what_the_change_means_and_answers_that_stay_have_no_row():
    table = answers(old=[True, False, False, True], new=[False, True, False, True])
    found = changed_answers(table, MODELS)
    assert found[["image_id", "change"]].to_numpy().tolist() == [
        ["0.png", "right_to_wrong"],
        ["1.png", "wrong_to_right"],
        ["2.png", "wrong_to_wrong"],
    ]
    table.loc[table["image_id"] == "0.png", "correct"] = pd.NA
    assert changed_answers(table, MODELS)["change"].tolist()[-1] == "not_labelled"


def test_three_models_are_compared_two_by_two():
    tests = model_tests(answers(a=[True] * 3, b=[True] * 3, c=[False] * 3), NO_MAPS, ["a", "b", "c"], seed=0)
    of = tests[tests["metric"] == "correct"]
    assert of[["model_a", "model_b"]].to_numpy().tolist() == [["a", "b"], ["a", "c"], ["b", "c"]]
    assert set(of["family_size"]) == {9}


@pytest.mark.parametrize("family", FAMILIES)
def test_fewer_images_than_could_decide_never_do(family):
    assert [FAMILIES[family](np.random.default_rng(trial), 4, 50.0) for trial in range(3)] == [
        (False, False)
    ] * 3


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_equal_models_are_told_apart_in_at_most_five_of_a_hundred_studies(family):
    draw = FAMILIES[family]
    for n in (12, 40):
        decided = [draw(np.random.default_rng([n, trial]), n, 0.0)[0] for trial in range(200)]
        assert np.mean(decided) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
    assert np.mean([draw(np.random.default_rng([12, trial]), 12, 1.5)[1] for trial in range(30)]) >= 0.3
