"""LIME for images (Ribeiro, Singh & Guestrin 2016), as `lime` 0.2.0.1 has it, repeatable and in batches.

With the same random state, segments and parameters it gives the library's weights within 1e-6: its draws, distances,
kernel, feature selection and regression are written out in the modules beside this one, without its loops over
samples and superpixels, and equal pictures are evaluated once.

The library's traps, and what is done here: `random_seed` does not make it repeatable (`random_state` does);
`labels` is ignored while `top_labels` is set (here the target class is always explained, and `top_labels` adds
others); `num_features` limits the surrogate, not the superpixels shown; `get_image_and_mask` draws a picture with 5
superpixels (the map here is every weight, painted on its superpixel; `lime_mask.superpixel_mask` is that mask).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xai_assets.attribution.lime_forward import PerturbedForward
from xai_assets.attribution.lime_perturbation import distinct, draw, hidden_view
from xai_assets.attribution.lime_regression import effective_samples
from xai_assets.attribution.lime_surrogate import Surrogate, closeness, fit
from xai_assets.attribution.parameters import LimeParameters
from xai_assets.attribution.segmentation import segment
from xai_assets.attribution.targets import Asked, as_target
from xai_assets.vision.classifiers import Classifier

_DECIDE_ANSWERS = ("segmentation", "num_samples", "hide_color", "precision", "batch_size")
"""The parameters that the samples and the model's answers depend on; the others concern the surrogate."""


@dataclass(frozen=True)
class Perturbations:
    """A view's samples and what the model answered: whatever LIME needs to explain any class of it.

    Attributes:
        segments: h w int64, superpixels from 0 without gaps.
        rows: n s uint8, 1 where a sample shows a superpixel; the first shows all.
        probabilities: n k float64, the model's answers.
        evaluated: how many different pictures there were among the samples.
        network: what was evaluated, see `lime_forward.Answers`.
        precision_error: see there.
    """

    segments: np.ndarray
    rows: np.ndarray
    probabilities: np.ndarray
    evaluated: int
    network: str
    precision_error: float


@dataclass(frozen=True)
class LimeResult(Surrogate):
    """What LIME found: the surrogate of the target class, and where its superpixels lie.

    Attributes:
        values: h w float32: each superpixel's weight, painted; negative ones as 0 when `positive_only`.
        segments: h w int64, from 0.
        top: the surrogates of the `top_labels` most probable classes, the most probable first.
        effective_samples: see `lime_regression.effective_samples`: a surrogate from fewer of them than it has
            superpixels follows chance.
        evaluated: forward passes; fewer than samples where some were the same picture.
        network: what was evaluated: "fused" or "folded" copy, or "as it is" with the reason.
        precision_error: the largest error of a probability that reduced precision was seen to make.
    """

    values: np.ndarray
    segments: np.ndarray
    top: tuple[Surrogate, ...]
    effective_samples: float
    evaluated: int
    network: str
    precision_error: float


def lime(
    classifier: Classifier,
    view: np.ndarray,
    target: Asked,
    *,
    parameters: LimeParameters | None = None,
    seed: int = 0,
) -> LimeResult:
    """Explain the softmax probability of one class, or the log-odds of two, by which superpixels are shown.

    Args:
        classifier: the model.
        view: h w 3 uint8: what the model sees, before normalisation; superpixels are hidden in it.
        target: index of the target class, or a `Target`.
        parameters: segmentation, samples and so on.
        seed: of the samples and the segmentation.

    Raises:
        AttributionError: the model's answers are not finite.
    """
    return Lime(classifier, seed=seed)(view, target, parameters=parameters)


class Lime:
    """LIME on one classifier for many calls; the classifier's weights must not change meanwhile.

    The network is made ready once. The last view's answers are kept: another class of it, or another surrogate of the
    same samples, costs a regression and gives the same bytes as it would have alone.

    Args:
        classifier: the model.
        seed: of the samples and the segmentation.
    """

    def __init__(self, classifier: Classifier, *, seed: int = 0) -> None:
        self.seed = seed
        self._forward = PerturbedForward(classifier)
        self._last: tuple[object, Perturbations] | None = None

    def __call__(
        self, view: np.ndarray, target: Asked, *, parameters: LimeParameters | None = None
    ) -> LimeResult:
        """Explain one target; see `lime`."""
        parameters = parameters or LimeParameters()
        (found,) = explain_perturbations(self.perturb(view, parameters), [target], parameters)
        return found

    def perturb(self, view: np.ndarray, parameters: LimeParameters) -> Perturbations:
        """Ask the model about samples of a view, or remember what it answered the last time."""
        key = (view.shape, view.tobytes(), parameters.model_dump_json(include=set(_DECIDE_ANSWERS)))
        if self._last is None or self._last[0] != key:
            self._last = (key, self._perturb(view, parameters))
        return self._last[1]

    def _perturb(self, view: np.ndarray, parameters: LimeParameters) -> Perturbations:
        segments = segment(view, parameters.segmentation, seed=self.seed)
        hidden = hidden_view(view, segments, parameters.hide_color)
        rows = draw(self.seed, parameters.num_samples, int(segments.max()) + 1)
        first, picture = distinct(rows, view, hidden, segments)
        answers = self._forward(
            view,
            hidden,
            segments,
            rows[first],
            batch_size=parameters.batch_size,
            precision=parameters.precision,
        )
        return Perturbations(
            segments=segments,
            rows=rows,
            probabilities=answers.probabilities[picture],
            evaluated=len(first),
            network=answers.network,
            precision_error=answers.precision_error,
        )


def explain_perturbations(
    perturbations: Perturbations, targets: Sequence[Asked], parameters: LimeParameters
) -> list[LimeResult]:
    """The surrogates of several targets from one view's samples, in the order of `targets`.

    Only what concerns the surrogate is read from the parameters: features and their selection, distance, kernel,
    regressor, `top_labels` and `positive_only`.
    """
    rows, probabilities = perturbations.rows, perturbations.probabilities
    top = np.argsort(probabilities[0])[::-1][: parameters.top_labels or 0].tolist()
    asked, most = [as_target(target) for target in targets], [as_target(label) for label in top]
    wanted = list(dict.fromkeys([*asked, *most]))
    surrogates = dict(zip(wanted, fit(rows, probabilities, wanted, parameters), strict=True))
    weights = closeness(rows, parameters)
    results = []
    for target in asked:
        surrogate = surrogates[target]
        painted = np.maximum(surrogate.weights, 0) if parameters.positive_only else surrogate.weights
        results.append(
            LimeResult(
                **vars(surrogate),
                values=painted[perturbations.segments].astype(np.float32),
                segments=perturbations.segments,
                top=tuple(surrogates[label] for label in most),
                effective_samples=effective_samples(weights),
                evaluated=perturbations.evaluated,
                network=perturbations.network,
                precision_error=perturbations.precision_error,
            )
        )
    return results
