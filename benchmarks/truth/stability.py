"""Stability: how often maps that are drawn anew are said to move less, or more, than maps that are drawn anew.

Maps are smooth noise about the middle of the frame. Without an effect the map of the noisy picture has nothing to do with
that of the picture but its mean and spread; with one it is the same map and a share (effect) of another.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from xai_assets.analysis.robustness import OTHERS
from xai_assets.evaluation.sensitivity import largest_change, redrawn
from xai_assets.evaluation.stability import REDRAWN, SENSITIVITY, stability_summary

IMAGES = (2, 3, 5, 6, 8, 10, 12, 30)
METHODS, EFFECT, SIDE = 4, 0.5, 16
NOTE = "four methods asked together; power: the first of them moves by half as much as a map drawn anew"


def rows(trials: int, images: Sequence[int] = IMAGES) -> list[dict[str, Any]]:
    """One row a number of images: `family`, `n`, `decided`, `se`, `power`, `effect`, `note`.

    Args:
        trials: studies that are drawn for each.
        images: the numbers of images.
    """
    found = []
    for n in images:
        generator = np.random.default_rng([n, 16])
        none = [_answers(generator, n, 1.0) for _ in range(trials)]
        some = [_answers(generator, n, EFFECT) for _ in range(trials)]
        decided = float(np.mean([any(answer != "cannot_tell" for answer in answers) for answers in none]))
        found.append(
            {
                "family": "maps move less than maps drawn anew",
                "n": n,
                "decided": decided,
                "se": float(np.sqrt(max(decided * (1 - decided), 1 / trials) / trials)),
                "power": float(np.mean([answers[0] == "yes" for answers in some])),
                "effect": EFFECT,
                "note": NOTE,
            }
        )
    return found


def _answers(generator: np.random.Generator, n: int, effect: float) -> list[str]:
    """What is said of each method; `effect` is the share of the first method's maps that is drawn anew."""
    values: list[tuple[str, str, bool, str, float | None]] = []
    for method in range(METHODS):
        maps = [_map(generator) for _ in range(n)]
        share = effect if method == 0 else 1.0
        for image, own in enumerate(maps):
            moved = own + share * (_map(generator) - own)
            others = [maps[(image + step) % n] for step in range(1, OTHERS + 1)]
            named = (f"{image}", f"{method}", False)
            values.append((*named, SENSITIVITY, largest_change(own, [moved])))
            values.append((*named, REDRAWN, redrawn(own, others)))
    table = pd.DataFrame(values, columns=["image_id", "method", "is_control", "metric", "value"])
    found = stability_summary(table)["answer"].tolist()
    return [str(answer) for answer in found]


def _map(generator: np.random.Generator) -> np.ndarray:
    """A smooth map of mean 3 and spread 1, higher in the middle."""
    across = np.abs(np.linspace(-1, 1, SIDE))
    values = gaussian_filter(generator.normal(size=(SIDE, SIDE)), 2.5) * 8 - np.add.outer(across, across)
    return np.asarray((values - values.mean()) / values.std() + 3)
