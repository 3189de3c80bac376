"""LIME with other seeds on a case: whether it chooses, weighs and paints the same."""

from itertools import combinations
from typing import Any

import numpy as np
from torch import nn

from xai_assets.analysis import last_inputs
from xai_assets.analysis.explained_cases import ExplainedCase, array_key
from xai_assets.analysis.kept_numbers import KeptNumbers
from xai_assets.analysis.map_keys import parameters_as_made
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.binarisation import binarise, density
from xai_assets.attribution.last_layer import last_linear
from xai_assets.attribution.lime_forward import PerturbedForward
from xai_assets.attribution.lime_image import (
    Lime,
    LimeResult,
    Perturbations,
    answered_from,
    explain_perturbations,
)
from xai_assets.attribution.lime_surrogate import closeness
from xai_assets.attribution.maps import AttributionMap
from xai_assets.attribution.parameters import LimeParameters, Linear, Ridge
from xai_assets.evaluation.lime_stability import (
    coefficient_errors,
    coefficients_stability,
    mean_pairwise_iou,
    variables_stability,
)
from xai_assets.evaluation.overlap import expected_iou
from xai_assets.evaluation.parameters import Robustness
from xai_assets.evaluation.sensitivity import largest_change
from xai_assets.vision.classifiers import Classifier

_SEEDS = 2**32


class LimeReruns:
    """LIME of a study with further seeds, each prepared once for all cases.

    Args:
        bench: the study.
        classifier: the explained model.
        parameters: how many seeds, and how many features have to recur.
        numbers: what was measured before.
    """

    def __init__(
        self, bench: Workbench, classifier: Classifier, parameters: Robustness, numbers: KeptNumbers
    ) -> None:
        self._bench, self._classifier, self._parameters = bench, classifier, parameters
        self._numbers = numbers
        self._forward = PerturbedForward(classifier, keep=True)
        self._limes: dict[int, Lime] = {}
        self._last_own: tuple[str, Perturbations] | None = None

    @property
    def other_seeds(self) -> list[int]:
        """The seeds beside the study's own."""
        return [(self._bench.study.seed + number) % _SEEDS for number in range(1, self._parameters.seeds)]

    def own(self, case: ExplainedCase, row: dict[str, Any], method: LimeParameters) -> Perturbations:
        """The samples of a map with the model's answers, and what went into its last layer, where that is known.

        They are as they were for the map: from what was kept then, or the model is asked again.
        """
        if self._last_own is None or self._last_own[0] != row["artifact"]:
            self._last_own = (row["artifact"], self._kept(case, row, method) or self._asked(case, method))
        return self._last_own[1]

    def _asked(self, case: ExplainedCase, method: LimeParameters) -> Perturbations:
        return self._lime(self._bench.study.seed).perturb(case.view, method)

    def _kept(self, case: ExplainedCase, row: dict[str, Any], method: LimeParameters) -> Perturbations | None:
        known, path = last_inputs.read(self._bench, row), last_linear(self._classifier.network)
        if known is None or path is None or known[1]["batch_size"] != method.batch_size:
            return None
        layer = self._classifier.network.get_submodule(path)
        if not isinstance(layer, nn.Linear):
            return None
        return answered_from(
            known[0], layer, case.view, method, seed=self._bench.study.seed, cut=known[1]["cut"]
        )

    def measures(
        self, case: ExplainedCase, row: dict[str, Any], explained: AttributionMap
    ) -> list[dict[str, Any]]:
        """`metric`, `value` and `chance` of the noise floor, the stability indices and the masks' IoU."""
        method = parameters_as_made(self._bench, row)
        assert isinstance(method, LimeParameters)
        policy = self._bench.attribution.binarisation
        _, found = self._numbers.get(
            {
                "weights": self._classifier.fingerprint,
                "preprocessing": self._classifier.preprocessing.fingerprint(),
                "view": array_key(case.view),
                "map": array_key(explained.values),
                "target": case.target,
                "parameters": method.model_dump(mode="json"),
                "policy": policy.model_dump(mode="json"),
                "seed": self._bench.study.seed,
                "seeds": self._parameters.seeds,
                "features": self._parameters.features,
            },
            lambda: self._measure(case, row, explained, method),
        )
        return found["measures"]

    def _measure(
        self, case: ExplainedCase, row: dict[str, Any], explained: AttributionMap, method: LimeParameters
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        asked = [self._lime(seed).perturb(case.view, method) for seed in self.other_seeds]
        runs = [
            (samples, explain_perturbations(samples, [case.target], method)[0])
            for samples in (self.own(case, row, method), *asked)
        ]
        found = [result for _, result in runs]
        maps = [result.values for result in found]
        truth = case.truth if self._bench.attribution.binarisation.policy == "same_area" else None
        masks = [
            binarise(values, self._bench.attribution.binarisation, reference=truth)[0] for values in maps
        ]
        chances = [expected_iou(density(a), density(b)) for a, b in combinations(masks, 2)]
        known = [chance for chance in chances if chance is not None]
        features = self._parameters.features
        vsi, csi, share = None, None, None
        # Quickshift may cut another seed's superpixels elsewhere: their weights are then of other things.
        if all(np.array_equal(result.segments, found[0].segments) for result in found):
            weights = [result.weights for result in found]
            vsi = variables_stability(weights, features)
            errors = [self._errors(samples, result, method) for samples, result in runs]
            complete = [error for error in errors if error is not None]
            if len(complete) == len(errors):
                csi = coefficients_stability(weights, complete, features)
            share = min(1.0, features / len(weights[0]))
        measures = [
            {"metric": "noise_floor", "value": largest_change(explained.values, maps[1:])},
            {"metric": "lime_vsi", "value": vsi, "chance": share},
            {"metric": "lime_csi", "value": csi},
            {
                "metric": "lime_seed_iou",
                "value": mean_pairwise_iou(masks),
                "chance": float(np.mean(known)) if known else None,
            },
        ]
        return {"values": np.stack(maps)}, {"measures": measures}

    def _lime(self, seed: int) -> Lime:
        if seed not in self._limes:
            self._limes[seed] = Lime(self._classifier, seed=seed, forward=self._forward)
        return self._limes[seed]

    @staticmethod
    def _errors(samples: Perturbations, result: LimeResult, method: LimeParameters) -> np.ndarray | None:
        """Standard errors of the weights; None where the surrogate is no ridge or least squares of all superpixels."""
        match method.model_regressor:
            case Ridge(alpha=alpha):
                penalty = alpha
            case Linear():
                penalty = 0.0
            case _:
                return None
        rows, superpixels = samples.rows, samples.rows.shape[1]
        if len(result.used) < superpixels or len(rows) < superpixels + 2:
            return None
        scores = samples.probabilities[:, result.target]
        return coefficient_errors(rows, scores, closeness(rows, method), penalty)
