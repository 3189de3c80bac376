"""Wrong labels: how often labels are suspected where all are right, and how often wrong ones are noticed.

The model's logits are drawn, and right labels from its probabilities at a temperature, so that it errs as often as
those say. `power` is of the same studies with 5 % of the labels exchanged. The last rows are of the embedded world's
object classifier, which is as sure as its training made it: n of 2,000 test scenes, the labels as they are.
"""

from functools import cache
from typing import Any

import numpy as np

from xai_assets.evaluation import label_errors as science
from xai_assets.evaluation.decision import Answer

SHARE = 0.05
NUMBERS = (20, 50, 200)
MODELS = {
    "12 classes, 98 % right": (12, 7.0, 1.0),
    "12 classes, 75 % right": (12, 3.5, 1.0),
    "12 classes, too sure by a factor of 2": (12, 5.0, 2.0),
    "12 classes, less sure than it could be": (12, 5.0, 0.6),
    "100 classes, 90 % right": (100, 7.0, 1.0),
}
"""Classes, logit of the class that is shown, and the temperature that labels are drawn at."""

QUARTER = 4


def rows(trials: int) -> list[dict[str, Any]]:
    """One row a model and number of labels.

    Args:
        trials: studies of each, a quarter of them for the most labels.
    """
    found = []
    for family, (classes, sure, temperature) in MODELS.items():
        for n in NUMBERS:
            count = max(1, trials // (QUARTER if n == NUMBERS[-1] else 1))
            generator = np.random.default_rng([n, classes, int(10 * temperature)])
            studies = [_study(generator, n, classes, sure, temperature) for _ in range(count)]
            found.append(
                _row(
                    family,
                    n,
                    [_decided(*one) for one in studies],
                    [_decided(p, _moved(y, classes)) for p, y in studies],
                )
            )
    probabilities, labels = of_the_world()
    for n in NUMBERS:
        generator = np.random.default_rng(n)
        chosen = [generator.permutation(len(labels))[:n] for _ in range(max(1, trials // QUARTER))]
        found.append(
            _row(
                "object classifier of the embedded world",
                n,
                [_decided(probabilities[at], labels[at]) for at in chosen],
                [_decided(probabilities[at], _moved(labels[at], probabilities.shape[1])) for at in chosen],
            )
        )
    return found


def _row(family: str, n: int, none: list[bool], some: list[bool]) -> dict[str, Any]:
    share, trials = float(np.mean(none)), len(none)
    return {
        "family": family,
        "n": n,
        "decided": share,
        "se": float(np.sqrt(max(share * (1 - share), 1 / trials) / trials)),
        "power": float(np.mean(some)),
        "effect": SHARE,
        "note": "all labels right; power: 5 % of them moved to the next class",
    }


def _study(
    generator: np.random.Generator, n: int, classes: int, sure: float, temperature: float
) -> tuple[np.ndarray, np.ndarray]:
    shown = generator.integers(classes, size=n)
    logits = generator.standard_normal((n, classes)) + sure * np.eye(classes)[shown]
    labels = (_softmax(logits / temperature).cumsum(axis=1) < generator.random((n, 1))).sum(axis=1)
    return _softmax(logits), np.minimum(labels, classes - 1)


def _moved(labels: np.ndarray, classes: int) -> np.ndarray:
    """5 % of the labels, at least one, moved to the next class."""
    chosen = np.random.default_rng(len(labels)).permutation(len(labels))[: max(1, round(SHARE * len(labels)))]
    moved = labels.copy()
    moved[chosen] = (moved[chosen] + 1) % classes
    return moved


def _decided(probabilities: np.ndarray, labels: np.ndarray) -> bool:
    found = science.label_errors(lambda: [(probabilities, labels)], seed=len(labels))
    return found.answer is not Answer.CANNOT_TELL


def _softmax(logits: np.ndarray) -> np.ndarray:
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))


@cache
def of_the_world() -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (2000 12 float32) and labels of test scenes."""
    from benchmarks.failures.scenes import probabilities_of, scenes

    examples = scenes("test", 2000)
    return probabilities_of("diorama/object", examples.images), examples.target
