"""The proofs of `benchmarks/failures` in small: a planted pair first, moved labels listed, no alarm without a reason."""

import numpy as np
import pytest

from benchmarks.failures import labels as moved_labels
from benchmarks.failures import pair
from benchmarks.failures.scenes import answered
from xai_assets.evaluation import label_errors as science
from xai_assets.world.vocabulary import CLASSES


@pytest.fixture(scope="module")
def said():
    """A sound model of twelve classes: 600 images, 99 % right."""
    generator = np.random.default_rng(1)
    shown = generator.integers(len(CLASSES), size=600)
    logits = generator.standard_normal((600, len(CLASSES))) * 0.6 + 5.5 * np.eye(len(CLASSES))[shown]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return scores.astype(np.float32), shown


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(science, "SIMULATIONS", 39)


@pytest.mark.parametrize("planted", [(0, 1), (4, 9)])
def test_a_planted_pair_is_named_first_with_moved_labels_beside_it(said, planted):
    from benchmarks.failures.scenes import moved

    probabilities, labels = said
    assert pair.named_first(probabilities, labels, *planted)
    changed, truly = moved(labels, 0.05, seed=1)
    assert pair.named_first(probabilities, changed, *planted)
    table, _ = answered(pair.mixed(probabilities, *planted), changed)
    assert table.loc[truly, "label_suspected"].mean() > 0.8


def test_moved_labels_are_listed_at_the_stated_precision(said):
    found = moved_labels.one_study(*said, 500, 0.05, seed=0)
    assert found["recall"] >= 0.9
    assert found["precision"] == pytest.approx(found["stated precision"], abs=0.1)
    assert found["called confusions"] <= found["mistakes of the model"] + 3
