"""Whether the class score follows a map: every measure of one image and class, ready for many maps."""

from dataclasses import dataclass

import numpy as np

from xai_assets.evaluation.confidence import average_drop, increase_in_confidence, seen_through
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.ordering import relevance_rank
from xai_assets.evaluation.parameters import Faithfulness
from xai_assets.evaluation.perturbation_curves import (
    BASELINES,
    Curve,
    Score,
    baselines,
    gain,
    perturbation_curves,
)
from xai_assets.evaluation.road import BASELINE, road_curves, road_score

CODE_VERSION = 1
"""Goes into the key of every kept result: raise it when the same map gives other numbers."""

FADED = "zero"
"""The variant of average drop and increase in confidence: pixels fade to 0 of the normalised input."""


def measures(parameters: Faithfulness) -> list[tuple[str, str]]:
    """The metrics and variants that a map is measured by, in the order of `Measured.values`."""
    curves = [(metric, name) for name in BASELINES for metric in ("insertion_auc", "deletion_auc", "srg")]
    road = [("road", BASELINE)] if parameters.road else []
    return [*curves, *road, ("average_drop", FADED), ("increase_in_confidence", FADED)]


@dataclass(frozen=True)
class Measured:
    """What was found of one map.

    Attributes:
        values: by metric and variant (the baseline): see the records of `metrics`. None: not defined for this image.
        curves: all that the values come from.
    """

    values: dict[tuple[str, str], float | None]
    curves: tuple[Curve, ...]


class FaithfulnessProbe:
    """One image and class, with what is the same for all its maps computed once: baselines and the curves' ends.

    Args:
        score: the model and the class: n h w 3 float32 -> n float64, probabilities.
        image: h w 3 float32, the model's normalised input.
        ties: h w, from `ordering.tie_field`: how tied pixels of all maps are ordered.
        parameters: steps and shares.
        seed: of ROAD's noise.
        image_id: the image's name, which the noise depends on.

    Raises:
        EvaluationError: the model's scores are not finite.
    """

    def __init__(
        self,
        score: Score,
        image: np.ndarray,
        *,
        ties: np.ndarray,
        parameters: Faithfulness,
        seed: int = 0,
        image_id: str = "",
    ) -> None:
        self.parameters = parameters
        self._image, self._ties, self._seed, self._image_id = image, ties, seed, image_id
        self._score = score
        self._baselines = baselines(image)
        ends = self._finite(np.stack([image, *self._baselines.values()]))
        self.full = float(ends[0])
        self.empty = dict(zip(self._baselines, ends[1:].tolist(), strict=True))

    def __call__(self, values: np.ndarray) -> Measured:
        """Every measure of a map (h w, raw).

        Raises:
            EvaluationError: another shape than the image's, or values or scores that are not finite.
        """
        rank = relevance_rank(values, self._ties)
        curves = perturbation_curves(
            self._finite,
            self._image,
            rank,
            self._baselines,
            steps=self.parameters.steps,
            full=self.full,
            empty=self.empty,
        )
        found: dict[tuple[str, str], float | None] = {}
        for name in self._baselines:
            pair = [curve for curve in curves if curve.baseline == name]
            by_order = {curve.order: curve for curve in pair}
            found["insertion_auc", name] = by_order["lerf"].area
            found["deletion_auc", name] = by_order["morf"].area
            found["srg", name] = gain(pair)
        if self.parameters.road:
            imputed = road_curves(
                self._finite,
                self._image,
                rank,
                fractions=self.parameters.road,
                seed=self._seed,
                image_id=self._image_id,
            )
            found["road", BASELINE] = road_score(imputed)
            curves += imputed
        seen = float(self._finite(seen_through(self._image, values)[None])[0])
        found["average_drop", FADED] = average_drop(self.full, seen)
        found["increase_in_confidence", FADED] = increase_in_confidence(self.full, seen)
        return Measured(found, tuple(curves))

    def _finite(self, pictures: np.ndarray) -> np.ndarray:
        scores = np.asarray(self._score(pictures), dtype=np.float64)
        if scores.shape != (len(pictures),) or not np.isfinite(scores).all():
            raise EvaluationError(
                f"the model's scores of {self._image_id or 'an image'} with pixels removed",
                f"are {scores.shape} for {len(pictures)} pictures, or not finite",
                "Look at the checkpoint, or leave faithfulness out of the study.",
            )
        return scores
