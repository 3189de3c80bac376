"""LIME with other seeds on a case: whether it chooses, weighs and paints the same."""

from itertools import combinations
from typing import Any

import numpy as np

from xai_assets.analysis.explained_cases import ExplainedCase, array_key
from xai_assets.analysis.map_keys import parameters_of
from xai_assets.analysis.map_reruns import CODE_VERSION, KIND
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution import explain
from xai_assets.attribution.binarisation import binarise, density
from xai_assets.attribution.lime_image import Lime, LimeResult, Perturbations, explain_perturbations
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
from xai_assets.files import fingerprint
from xai_assets.vision.classifiers import Classifier

_SEEDS = 2**32


class LimeReruns:
    """LIME of a study with further seeds, each prepared once for all cases.

    Args:
        bench: the study.
        classifier: the explained model.
        parameters: how many seeds, and how many features have to recur.
    """

    def __init__(self, bench: Workbench, classifier: Classifier, parameters: Robustness) -> None:
        self._bench, self._classifier, self._parameters = bench, classifier, parameters
        self._limes: dict[int, Lime] = {}

    @property
    def other_seeds(self) -> list[int]:
        """The seeds beside the study's own."""
        return [(self._bench.study.seed + number) % _SEEDS for number in range(1, self._parameters.seeds)]

    def measures(self, case: ExplainedCase, explained: AttributionMap) -> list[dict[str, Any]]:
        """`metric`, `value` and `chance` of the noise floor, the stability indices and the masks' IoU."""
        method = parameters_of(self._bench, "lime", case.image_id)
        assert isinstance(method, LimeParameters)
        policy = self._bench.attribution.binarisation
        key = fingerprint(
            {
                "code": [CODE_VERSION, explain.CODE_VERSION],
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
            }
        )
        store, tally = self._bench.store, self._bench.tally
        if store.has(KIND, key):
            tally.reused += 1
        else:
            maps, measures = self._measure(case, explained, method)
            store.put(KIND, key, {"values": np.stack(maps)}, {"measures": measures})
            tally.computed += 1
        return store.get(KIND, key)[1]["measures"]

    def _measure(
        self, case: ExplainedCase, explained: AttributionMap, method: LimeParameters
    ) -> tuple[list[np.ndarray], list[dict[str, Any]]]:
        runs = [self._run(case, seed, method) for seed in (self._bench.study.seed, *self.other_seeds)]
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
        return maps, [
            {"metric": "noise_floor", "value": largest_change(explained.values, maps[1:])},
            {"metric": "lime_vsi", "value": vsi, "chance": share},
            {"metric": "lime_csi", "value": csi},
            {
                "metric": "lime_seed_iou",
                "value": mean_pairwise_iou(masks),
                "chance": float(np.mean(known)) if known else None,
            },
        ]

    def _run(
        self, case: ExplainedCase, seed: int, method: LimeParameters
    ) -> tuple[Perturbations, LimeResult]:
        if seed not in self._limes:
            self._limes[seed] = Lime(self._classifier, seed=seed)
        samples = self._limes[seed].perturb(case.view, method)
        (result,) = explain_perturbations(samples, [case.target], method)
        return samples, result

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
