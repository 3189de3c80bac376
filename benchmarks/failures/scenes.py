"""Scenes of the embedded world with what a model says of them: what the proofs about failures are made of."""

from functools import cache

import numpy as np
import pandas as pd
import torch

from xai_assets.evaluation.label_errors import WRONG, LabelErrors, label_errors
from xai_assets.evaluation.performance import with_error_ranks
from xai_assets.settings import Settings
from xai_assets.vision.classifiers import Classifier, load_classifier
from xai_assets.world.training.data import render_split
from xai_assets.world.training.examples import Examples
from xai_assets.world.vocabulary import CLASSES

BATCH = 100


@cache
def scenes(split: str, count: int) -> Examples:
    """The first scenes of a split with one target."""
    return render_split(split, count, workers=1)


@cache
def shipped(name: str) -> Classifier:
    """A shipped classifier on the CPU."""
    return load_classifier(name, Settings.from_environment(), device="cpu")


def probabilities_of(model: str | Classifier, images: np.ndarray) -> np.ndarray:
    """Softmax of a classifier's logits, float32 (n, k), of images (n h w 3 uint8)."""
    classifier = shipped(model) if isinstance(model, str) else model
    found = [
        torch.softmax(
            classifier.logits(classifier.preprocessing.from_view(images[at : at + BATCH])).double(), dim=1
        )
        for at in range(0, len(images), BATCH)
    ]  # n h w 3 -> n k
    return torch.cat(found).numpy().astype(np.float32)


def moved(
    labels: np.ndarray, share: float, *, seed: int, anywhere: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The labels, that share of them moved to the next class, or to any other; and which are moved (bool)."""
    generator = np.random.default_rng(seed)
    chosen = np.zeros(len(labels), bool)
    chosen[generator.choice(len(labels), round(share * len(labels)), replace=False)] = True
    steps = generator.integers(1, len(CLASSES), size=len(labels)) if anywhere else 1
    return np.where(chosen, (labels + steps) % len(CLASSES), labels), chosen


def answered(
    probabilities: np.ndarray, labels: np.ndarray, *, seed: int = 0
) -> tuple[pd.DataFrame, LabelErrors]:
    """The table `answers` of labelled images, with what their labels come to."""
    found = label_errors(lambda: [(probabilities, labels)], seed=seed)
    best = probabilities.argmax(axis=1)
    table = pd.DataFrame(
        {
            "image_id": [f"{at:05}" for at in range(len(labels))],
            "label": [CLASSES[one] for one in labels],
            "label_index": labels,
            "label_name": [CLASSES[one] for one in labels],
            "label_probability": probabilities[np.arange(len(labels)), labels],
            "predicted_index": best,
            "predicted_name": [CLASSES[one] for one in best],
            "probability": probabilities.max(axis=1),
            "correct": best == labels,
            "label_wrong": found.wrong,
            "label_suspected": found.wrong > WRONG,
        }
    )
    return with_error_ranks(table), found
