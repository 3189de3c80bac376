"""Wrong labels are told from a model's mistakes: fits are scipy's, precision is what is stated."""

import numpy as np
import pytest
from scipy import optimize

from xai_assets.evaluation import label_errors as science
from xai_assets.evaluation.decision import Answer
from xai_assets.evaluation.label_errors import FEWEST, MOST, TEMPERATURES, label_errors

CLASSES = 6


def softmax(logits):
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def drawn(n, *, share, temperature=1.0, sure=5.0, seed=0, classes=CLASSES):
    """What a model says, the labels, and which are exchanged: right labels are drawn at the temperature."""
    generator = np.random.default_rng(seed)
    logits = (
        generator.standard_normal((n, classes)) + sure * np.eye(classes)[generator.integers(classes, size=n)]
    )
    right = (softmax(logits / temperature).cumsum(axis=1) < generator.random((n, 1))).sum(axis=1)
    exchanged = generator.random(n) < share
    labels = np.where(exchanged, (right + generator.integers(1, classes, size=n)) % classes, right)
    return softmax(logits), labels, exchanged


def found_of(probabilities, labels, size=64, **more):
    parts = [slice(start, start + size) for start in range(0, len(labels), size)]
    return label_errors(lambda: ((probabilities[part], labels[part]) for part in parts), **more)


@pytest.fixture
def few_draws(monkeypatch):
    monkeypatch.setattr(science, "SIMULATIONS", 39)


def test_the_fit_is_the_most_likely_one(few_draws):
    probabilities, labels, _ = drawn(300, share=0.1, temperature=1.5)
    found = found_of(probabilities, labels)
    logits = np.log(probabilities)

    def minus_log_likelihood(given):
        share, temperature = given
        p = softmax(logits / temperature)[np.arange(300), labels]
        return -np.log((1 - share) * p + share * (1 - p) / (CLASSES - 1)).sum()

    theirs = optimize.minimize(minus_log_likelihood, (0.05, 1.0), bounds=((0, MOST), (0.2, 6)))
    assert found.share == pytest.approx(theirs.x[0], abs=0.02)
    assert found.temperature == pytest.approx(theirs.x[1], rel=TEMPERATURES[1] / TEMPERATURES[0] - 1)
    assert minus_log_likelihood((found.share, found.temperature)) == pytest.approx(theirs.fun, abs=0.2)
    assert 0 < found.low < found.share < found.high < MOST


def test_probabilities_are_those_of_bayes(few_draws):
    probabilities, labels, _ = drawn(200, share=0.15)
    found = found_of(probabilities, labels)
    assert found.answer is Answer.YES
    scaled = softmax(np.log(probabilities) / found.temperature)
    table = np.full((CLASSES, CLASSES), found.share / (CLASSES - 1))  # true class, label
    np.fill_diagonal(table, 1 - found.share)
    joint = scaled * table[:, labels].T  # n, true class
    right = joint[np.arange(200), labels] / joint.sum(axis=1)
    assert found.wrong == pytest.approx(1 - right, abs=1e-9)
    assert found.suspected == (right < 0.5).sum()
    assert found.precision == pytest.approx((1 - right)[right < 0.5].mean())
    assert found.recall == pytest.approx((1 - right)[right < 0.5].sum() / (1 - right).sum())


def test_the_stated_precision_and_recall_are_what_comes_true(few_draws):
    stated, true = np.zeros(2), np.zeros(2)
    for seed in range(12):
        probabilities, labels, exchanged = drawn(400, share=0.1, temperature=0.8, seed=seed, sure=4.0)
        found = found_of(probabilities, labels)
        listed = found.wrong > 0.5
        stated += found.precision, found.recall
        true += exchanged[listed].mean(), listed[exchanged].mean()
    assert true[0] / 12 > 0.75
    assert stated / 12 == pytest.approx(true / 12, abs=0.04)


def test_chunks_change_nothing(few_draws):
    probabilities, labels, _ = drawn(150, share=0.1)
    one, several = found_of(probabilities, labels, size=150), found_of(probabilities, labels, size=40)
    assert one.wrong.tolist() == several.wrong.tolist() and one.p == several.p


@pytest.mark.parametrize("temperature", [0.7, 1.6])
def test_mistakes_of_the_model_are_not_wrong_labels(few_draws, temperature):
    wrong = 0
    for seed in range(20):
        probabilities, labels, _ = drawn(120, share=0, temperature=temperature, sure=2.0, seed=seed)
        assert (probabilities.argmax(axis=1) != labels).mean() > 0.05
        found = found_of(probabilities, labels, seed=seed)
        wrong += found.answer is not Answer.CANNOT_TELL
        if found.answer is Answer.CANNOT_TELL:
            assert found.suspected == 0 and found.precision is None and not found.wrong.any()
    assert wrong <= 3


def test_a_confused_pair_is_the_models(few_draws):
    """Two classes with the same logit: half of the one is answered as the other, and no label is suspected of it."""
    probabilities, labels, exchanged = drawn(600, share=0.05, sure=10.0, seed=3)
    mixed = probabilities.copy()
    mixed[:, :2] = probabilities[:, :2].mean(axis=1, keepdims=True)
    found = found_of(mixed, labels)
    confused = (mixed.argmax(axis=1) != labels) & (labels < 2) & ~exchanged
    assert confused.sum() > 50
    assert not (found.wrong[confused & (mixed[:, :2].sum(axis=1) > 0.5)] > 0.5).any()
    assert (found.wrong[exchanged] > 0.5).mean() > 0.7


def test_few_labels_and_none_tell_nothing():
    probabilities, labels, _ = drawn(FEWEST - 1, share=0.5)
    found = found_of(probabilities, labels)
    assert (found.n, found.p, found.share, found.answer) == (FEWEST - 1, None, None, Answer.CANNOT_TELL)
    assert label_errors(lambda: iter(())).n == 0


def test_a_model_that_is_wholly_sure_is_no_error(few_draws):
    sure = np.eye(4, dtype=np.float32)[np.arange(40) % 4]
    labels = np.arange(40) % 4
    assert found_of(sure, labels).suspected == 0
    labels[:3] = (labels[:3] + 1) % 4
    found = found_of(sure, labels)
    assert (found.wrong > 0.5).tolist() == [True] * 3 + [False] * 37
