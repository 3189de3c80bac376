"""A planted pair of classes that the model cannot tell apart, and moved labels beside it: is the pair named first?"""

from itertools import combinations
from typing import Any

import numpy as np

from benchmarks.failures.scenes import answered, moved, probabilities_of, scenes
from xai_assets.evaluation.performance import confusions
from xai_assets.world.vocabulary import CLASSES

SCENES, SHARE = 1000, 0.05


def mixed(probabilities: np.ndarray, a: int, b: int) -> np.ndarray:
    """What the model says when the logits of two classes are their mean: it gives both the same probability."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-45))
    logits[:, [a, b]] = logits[:, [a, b]].mean(axis=1, keepdims=True)
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(scores / scores.sum(axis=1, keepdims=True), dtype=np.float32)


def named_first(probabilities: np.ndarray, labels: np.ndarray, a: int, b: int) -> bool:
    """Whether the pair of classes is the first of the confusions; the labels may be wrong."""
    pairs = confusions(answered(mixed(probabilities, a, b), labels)[0])
    (first,) = pairs[pairs["error_rank"] == 1].to_dict("records")
    return {first["label_index"], first["predicted_index"]} == {a, b}


def rows(scenes_: int = SCENES, pairs: int | None = None) -> list[dict[str, Any]]:
    """In how many of all pairs the planted one is named first, with right labels and with moved ones."""
    examples = scenes("test", scenes_)
    probabilities = probabilities_of("diorama/object", examples.images)
    changed, _ = moved(examples.target, SHARE, seed=0)
    planted = list(combinations(range(len(CLASSES)), 2))[:pairs]
    return [
        {
            "labels": said,
            "planted pairs": len(planted),
            "named first": sum(named_first(probabilities, labels, a, b) for a, b in planted),
        }
        for said, labels in (("right", examples.target), ("5 % moved", changed))
    ]
