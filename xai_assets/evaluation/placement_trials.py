"""Whether metrics that are measured against the true mask order maps by what the model uses, without the circle.

The part whose removal lowers the probability lies inside the object. A map that has more in the object has mostly more in
the part, be it of mere noise, so that the order of such a metric agrees with `grounding` whatever it is worth. What the
maps of the image itself give is therefore compared with what the same methods' maps of other images give under the same
masks (`other_images.against_others`): both have the part inside the object, and only the one can know where it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from xai_assets.evaluation import across_images as across
from xai_assets.evaluation.comparison import interval_columns
from xai_assets.evaluation.decision import decide
from xai_assets.evaluation.metric_trials import COLUMNS, FEWEST_MAPS, METHODS
from xai_assets.evaluation.other_images import against_others, blocks_of

PLACED = "placed"


@dataclass(frozen=True)
class Scene:
    """One image whose answer hangs on a part of the explained object.

    Attributes:
        maps: of each method the map (h w, raw) and its mask (h w bool).
        truth: h w bool, the object.
        part: h w bool, what lowers the probability when it is removed.
    """

    maps: Mapping[str, tuple[np.ndarray, np.ndarray]]
    truth: np.ndarray
    part: np.ndarray


def placement_trials(
    scenes: Sequence[Scene], variants: Mapping[str, str | None], *, seed: int = 0
) -> pd.DataFrame:
    """The trial PLACED of every metric of the true mask; no rows for fewer than two scenes or FEWEST_MAPS methods.

    Args:
        scenes: one an image, in the order of the study. Methods that not all of them have a map of are left out.
        variants: the metrics that are asked, of `AGAINST_TRUTH`, and the variant of each.
        seed: of blocks and of drawn pairings.

    Returns:
        The columns of `metric_trials`. `value` is the mean over images of the rank correlation over methods of the metric
        with the map's share in the part, less that of the methods' maps of other images; the p-value is that of pairing
        images anew. Maps that the metric gives one value have no order: their correlation counts as 0.
    """
    methods = [
        method
        for method in dict.fromkeys(method for scene in scenes for method in scene.maps)
        if all(method in scene.maps for scene in scenes)
    ]
    if len(scenes) < 2 or len(methods) < FEWEST_MAPS:
        return pd.DataFrame(columns=list(COLUMNS))
    found: dict[str, list[np.ndarray]] = {metric: [] for metric in variants}
    for places in blocks_of([scene.truth.shape for scene in scenes], seed=seed):
        block = _correlations([scenes[place] for place in places], methods)
        for metric, matrices in found.items():
            matrices.append(block[metric])
    against = {
        metric: against_others(matrices, seed=seed, bounds=(-2.0, 2.0)) for metric, matrices in found.items()
    }
    decisions = decide(
        [one.difference.mean for one in against.values()], [one.p for one in against.values()], repaired=True
    )
    rows: list[dict[str, Any]] = [
        {
            "metric": metric,
            "variant": variants[metric],
            "trial": PLACED,
            "over": METHODS,
            "above": None,
            "below": None,
            "value": one.difference.mean,
            **interval_columns(one.difference),
            **asdict(decision),
            "answer": decision.answer.value,
        }
        for (metric, one), decision in zip(against.items(), decisions, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _correlations(scenes: Sequence[Scene], methods: Sequence[str]) -> dict[str, np.ndarray]:
    """Of each metric, float64 (n n): maps of image i under the masks of image j, correlated over methods."""
    truths, parts = [scene.truth.ravel() for scene in scenes], [scene.part.ravel() for scene in scenes]
    values: dict[str, list[np.ndarray]] = {}
    in_part = []
    for method in methods:
        raw = [scene.maps[method][0] for scene in scenes]
        ordered = [across.OrderedMap.of(*scene.maps[method]) for scene in scenes]
        of_method = {
            "iou": across.iou_and_dice([one.mask for one in ordered], truths)[0],
            "iou_matched": across.matched_to_truths(ordered, truths),
            "average_precision": across.average_precisions(ordered, truths),
            "pointing": across.pointing(ordered, truths),
            "energy": across.energies(raw, truths),
        }
        for metric, matrix in of_method.items():
            values.setdefault(metric, []).append(matrix)
        in_part.append(across.energies(raw, parts))
    return {metric: _spearman(np.stack(matrices), np.stack(in_part)) for metric, matrices in values.items()}


def _spearman(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Rank correlation along the first axis; 0 where one side is all ties. A map without positive values has 0 energy."""
    first, second = (rankdata(np.nan_to_num(side), axis=0) for side in (a, b))
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    scale = np.sqrt((first**2).sum(axis=0) * (second**2).sum(axis=0))
    return np.divide((first * second).sum(axis=0), scale, out=np.zeros(scale.shape), where=scale > 0)
