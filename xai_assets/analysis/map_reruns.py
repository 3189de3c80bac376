"""Maps of a case made again: of noisy copies of its view, and of networks whose last layers are randomised."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from xai_assets.analysis import last_inputs
from xai_assets.analysis.explained_cases import ExplainedCase, array_key
from xai_assets.analysis.images import canonical
from xai_assets.analysis.kept_numbers import KeptNumbers
from xai_assets.analysis.lime_reruns import LimeReruns
from xai_assets.analysis.map_keys import parameters_as_made
from xai_assets.analysis.target_layer import target_layer
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.explain import Explainer
from xai_assets.attribution.last_layer import KnownScores, last_linear
from xai_assets.attribution.lime_image import explain_perturbations, with_last_layer
from xai_assets.attribution.maps import AttributionMap, flags_of
from xai_assets.attribution.parameters import LimeParameters, Parameters, ScoreCAMParameters
from xai_assets.evaluation.parameters import Robustness
from xai_assets.evaluation.randomisation import Stage, depths, layers_with_parameters, randomise, similarity
from xai_assets.evaluation.sensitivity import largest_change, max_sensitivity
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.preprocessing import Preprocessing

CASCADE_VERSION = 2
"""The same for maps of randomised networks. 2: statistics of batch normalisation are measured anew."""

BATCH = 16
_SEEDS = 2**32


class MapReruns:
    """The methods of a study on altered views and altered networks, each prepared once for all cases.

    Args:
        bench: the study.
        classifier: the explained model.
        parameters: how many copies and stages.
        limes: LIME on the explained model, which is asked about a case's own view there.
        numbers: what was measured before.
        views: h w 3 uint8, what the model saw of the images that randomised networks are calibrated on.
    """

    def __init__(
        self,
        bench: Workbench,
        classifier: Classifier,
        parameters: Robustness,
        limes: LimeReruns,
        numbers: KeptNumbers,
        views: Sequence[np.ndarray] = (),
    ) -> None:
        self._bench, self._parameters = bench, parameters
        self._limes, self._numbers = limes, numbers
        self._classifier = on_views(classifier)
        self._layers = layers_with_parameters(classifier.network)
        self._depths = depths(len(self._layers), parameters.stages) if parameters.stages else []
        self._views = views
        self._cascade = {"cascade": CASCADE_VERSION, "calibrated": [array_key(view) for view in views]}
        self._stages: dict[int, Classifier] = {}
        self._explainers: dict[tuple[int, str, str, int], Explainer] = {}

    def parameters(self, row: dict[str, Any]) -> Parameters:
        """What the row's method is asked again with: ScoreCAM in fast mode, unless the study says otherwise."""
        own = parameters_as_made(self._bench, row)
        quicker = isinstance(own, ScoreCAMParameters) and own.mode == "exact" and own.weighting == "softmax"
        if not quicker or self._parameters.scorecam == "study":
            return own
        return own.model_copy(update={"mode": "fast"})

    def mode(self, row: dict[str, Any]) -> str | None:
        """`fast` where both maps of a comparison are ScoreCAM's in fast mode; else None."""
        return "fast" if self._is_fast(row) else None

    def reference(
        self, case: ExplainedCase, row: dict[str, Any], explained: AttributionMap
    ) -> AttributionMap:
        """What other maps of the row's method are compared with: made as they are, or the study's own map."""
        if self.parameters(row) == parameters_as_made(self._bench, row):
            return explained
        return self._again(case, row, explained, self._bench.study.seed)

    def noise_floor(
        self, case: ExplainedCase, row: dict[str, Any], explained: AttributionMap, reference: AttributionMap
    ) -> float | None:
        """How far a class activation map moves by how it is made: 0 but of ScoreCAM's fast mode.

        There it is the change from the exact map, where the study has it, and else from that of another seed.
        """
        if not self._is_fast(row):
            return 0.0
        other = explained
        if reference is explained:
            other = self._again(case, row, explained, (self._bench.study.seed + 1) % _SEEDS)
        return largest_change(reference.values, [other.values])

    def sensitivity(
        self, case: ExplainedCase, row: dict[str, Any], explained: AttributionMap
    ) -> float | None:
        """Max-sensitivity of a method's map of a case; None where it cannot be measured."""
        if not explained.usable:
            return None
        parameters, seed = self._parameters, self._bench.study.seed
        kept = {"radius": parameters.radius, "samples": parameters.samples}

        def compute() -> float | None:
            explainer = self._explainer(0, row)
            return max_sensitivity(
                lambda view: explainer(view, case.target).values,
                case.view,
                explained.values,
                radius=parameters.radius,
                samples=parameters.samples,
                seed=seed,
            )

        return self._kept(case, row, explained, kept, compute)

    def cascade(self) -> Iterator[dict[str, Any]]:
        """The stages: `variant`, from which layer on all are random, and `depth`, the share that are."""
        for layers in self._depths:
            yield {"variant": self._layers[-layers][0], "depth": layers / len(self._layers)}

    def randomisation(
        self, case: ExplainedCase, row: dict[str, Any], explained: AttributionMap
    ) -> Iterator[dict[str, Any]]:
        """Each stage, as `cascade` has it, with `value`: how alike the map is to that of the trained network."""
        for layers, stage in zip(self._depths, self.cascade(), strict=True):

            def compute(layers: int = layers) -> float | None:
                found = self._by_last_layer(case, row, explained) if layers == 1 else None
                if found is None:
                    found = self._explainer(layers, row)(case.view, case.target).values
                return similarity(explained.values, found)

            value = None
            if explained.usable:
                value = self._kept(case, row, explained, {"randomised": layers} | self._cascade, compute)
            yield {**stage, "value": value}

    def _by_last_layer(
        self, case: ExplainedCase, row: dict[str, Any], explained: AttributionMap
    ) -> np.ndarray | None:
        """The map of the network whose last layer is random, from what goes into that layer of the trained one.

        The masked images of ScoreCAM are the same, and the samples of LIME: all that is left is the last layer. None
        where it is not linear, or where what goes into it is not kept.
        """
        path = last_linear(self._classifier.network)
        if path is None:
            return None
        layer = self._with_random(1).network.get_submodule(path)
        assert isinstance(layer, nn.Linear)
        given = self.parameters(row)
        if isinstance(given, LimeParameters):
            samples = with_last_layer(self._limes.own(case, row, given), layer, given)
            if samples is None:
                return None
            (found,) = explain_perturbations(samples, [case.target], given)
            return found.values
        if not isinstance(given, ScoreCAMParameters) or given.mode == "fast":
            return None
        known = last_inputs.read(self._bench, row)
        if known is None or known[1]["batch_size"] != given.batch_size:
            return None
        scores = KnownScores(
            layer, known[0], alone=known[1]["alone"], batch_size=given.batch_size, cut=known[1]["cut"]
        )
        return self._explainer(1, row)(case.view, case.target, memory=scores).values

    def _kept(
        self,
        case: ExplainedCase,
        row: dict[str, Any],
        explained: AttributionMap,
        asked: dict[str, Any],
        compute: Callable[[], float | None],
    ) -> float | None:
        made = self._made_of(case, row, explained, asked)
        return self._numbers.get(made, lambda: ({}, {"value": compute()}))[1]["value"]

    def _again(
        self, case: ExplainedCase, row: dict[str, Any], explained: AttributionMap, seed: int
    ) -> AttributionMap:
        """The map of the view as it is, with the parameters of `parameters` and a seed; kept."""

        def compute() -> tuple[dict[str, np.ndarray], dict[str, Any]]:
            found = self._explainer(0, row, seed)(case.view, case.target)
            return {"values": found.values}, {"details": dict(found.details)}

        arrays, _ = self._numbers.get(self._made_of(case, row, explained, {"again": seed}), compute)
        values = arrays["values"]
        return dataclasses.replace(explained, values=values, flags=flags_of(values), extras={})

    def _is_fast(self, row: dict[str, Any]) -> bool:
        parameters = self.parameters(row)
        return isinstance(parameters, ScoreCAMParameters) and parameters.mode == "fast"

    def _made_of(
        self, case: ExplainedCase, row: dict[str, Any], explained: AttributionMap, asked: dict[str, Any]
    ) -> dict[str, Any]:
        return {
            "weights": self._classifier.fingerprint,
            "preprocessing": self._classifier.preprocessing.fingerprint(),
            "view": array_key(case.view),
            "map": array_key(explained.values),
            "target": case.target,
            "method": row["method"],
            "layer": explained.layer,
            "parameters": self.parameters(row).model_dump(mode="json"),
            "seed": self._bench.study.seed,
            **asked,
        }

    def _explainer(self, layers: int, row: dict[str, Any], seed: int | None = None) -> Explainer:
        """The row's method on the network with so many of its last layers random; 0: as it was trained."""
        seed = self._bench.study.seed if seed is None else seed
        parameters = self.parameters(row)
        key = (layers, row["method"], canonical(parameters.model_dump(mode="json")), seed)
        if key not in self._explainers:
            self._explainers[key] = Explainer(
                row["method"],
                self._with_random(layers),
                layer=None if row["method"] == "lime" else target_layer(self._bench, self._classifier),
                layout=self._bench.attribution.layout,
                parameters=parameters,
                seed=seed,
            )
        return self._explainers[key]

    def _with_random(self, layers: int) -> Classifier:
        if not layers:
            return self._classifier
        if layers not in self._stages:
            stage: Stage = randomise(
                self._classifier.network, layers, seed=self._bench.study.seed, batches=list(self._batches())
            )
            self._stages[layers] = dataclasses.replace(self._classifier, network=stage.network)
        return self._stages[layers]

    def _batches(self) -> Iterator[torch.Tensor]:
        """The views in batches of one shape, each view with its mirror image: of one value there is no variance."""
        by_shape: dict[tuple[int, ...], list[np.ndarray]] = {}
        for view in self._views:
            by_shape.setdefault(view.shape, []).append(view)
        for views in by_shape.values():
            for start in range(0, len(views), BATCH):
                some = np.stack(views[start : start + BATCH])  # n h w 3
                both = np.concatenate([some, some[:, :, ::-1]])
                yield self._classifier.preprocessing.from_view(both).to(self._classifier.device)


def on_views(classifier: Classifier) -> Classifier:
    """The classifier, taking what it would see of a picture (h w 3 uint8) in place of the picture."""
    spec = classifier.preprocessing.spec.model_copy(
        update={"mode": "native", "resize": None, "size": None, "steps": None}
    )
    return dataclasses.replace(classifier, preprocessing=Preprocessing(spec))
