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
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from xai_assets.attribution.last_layer import scores_of
from xai_assets.attribution.lime_forward import PerturbedForward
from xai_assets.attribution.lime_perturbation import distinct, draw, hidden_view
from xai_assets.attribution.lime_regression import effective_samples
from xai_assets.attribution.lime_stopping import enough
from xai_assets.attribution.lime_surrogate import Surrogate, closeness, fit
from xai_assets.attribution.parameters import AutoSamples, LimeParameters
from xai_assets.attribution.segmentation import segment
from xai_assets.attribution.targets import Asked, as_target
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.outputs import probabilities

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
        picture: n int64, which of the different pictures each sample is.
        inputs: m c float32, what went into the network's last layer for each different picture, where it was kept.
        cut: with these, how many images of a batch went through the network together.
        stable: where the samples were to be as many as the mask needs, how sure it is that it is stable, see
            `lime_stopping.stable_share`.
    """

    segments: np.ndarray
    rows: np.ndarray
    probabilities: np.ndarray
    evaluated: int
    network: str
    precision_error: float
    picture: np.ndarray
    inputs: np.ndarray | None = None
    cut: int = 1
    stable: float | None = None


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
        samples: how many the surrogate was fitted on.
        stable: as of `Perturbations`.
    """

    values: np.ndarray
    segments: np.ndarray
    top: tuple[Surrogate, ...]
    effective_samples: float
    evaluated: int
    network: str
    precision_error: float
    samples: int
    stable: float | None


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
        forward: the classifier made ready, for several that ask the same one.
    """

    def __init__(
        self, classifier: Classifier, *, seed: int = 0, forward: PerturbedForward | None = None
    ) -> None:
        self.seed = seed
        self._forward = forward or PerturbedForward(classifier)
        self._last: tuple[object, _Asked] | None = None

    def __call__(
        self, view: np.ndarray, target: Asked, *, parameters: LimeParameters | None = None
    ) -> LimeResult:
        """Explain one target; see `lime`."""
        parameters = parameters or LimeParameters()
        (found,) = explain_perturbations(self.perturb(view, parameters, target), [target], parameters)
        return found

    def perturb(
        self, view: np.ndarray, parameters: LimeParameters, target: Asked | None = None
    ) -> Perturbations:
        """Ask the model about samples of a view, or remember what it answered the last time.

        Args:
            view: h w 3 uint8.
            parameters: how many samples, among others.
            target: whose mask says how many samples are enough, where the parameters leave it to that; without one
                they are as many as they are at most.
        """
        key = (view.shape, view.tobytes(), parameters.model_dump_json(include=set(_DECIDE_ANSWERS)))
        if self._last is None or self._last[0] != key:
            self._last = (key, _Asked(self._forward, view, parameters, self.seed))
        asked, auto = self._last[1], parameters.num_samples
        if not isinstance(auto, AutoSamples) or target is None:
            return asked.first(parameters.most_samples)
        count, stable = enough(asked.answered, asked.segments, target, parameters, auto, seed=self.seed)
        return replace(asked.first(count), stable=stable)


class _Asked:
    """What the model has been asked about a view: its samples, of which the first n are those of a run of n."""

    def __init__(
        self, forward: PerturbedForward, view: np.ndarray, parameters: LimeParameters, seed: int
    ) -> None:
        self.segments = segment(view, parameters.segmentation, seed=seed)
        hidden = hidden_view(view, self.segments, parameters.hide_color)
        self._rows = draw(seed, parameters.most_samples, int(self.segments.max()) + 1)
        first, self._picture = distinct(self._rows, view, hidden, self.segments)
        self._answers = forward.on(
            view,
            hidden,
            self.segments,
            self._rows[first],
            batch_size=parameters.batch_size,
            precision=parameters.precision,
        )

    def answered(self, samples: int) -> tuple[np.ndarray, np.ndarray]:
        """The first samples, and what the model answers to them."""
        found = self.first(samples)
        return found.rows, found.probabilities

    def first(self, samples: int) -> Perturbations:
        """The first samples with the model's answers, those that it has not given before asked for now."""
        picture = self._picture[:samples]
        answers = self._answers.first(int(picture.max()) + 1)
        return Perturbations(
            segments=self.segments,
            rows=self._rows[:samples],
            probabilities=answers.probabilities[picture],
            evaluated=len(answers.probabilities),
            network=answers.network,
            precision_error=answers.precision_error,
            picture=picture,
            inputs=answers.inputs,
            cut=answers.cut,
        )


def answered_from(
    inputs: np.ndarray, layer: nn.Linear, view: np.ndarray, parameters: LimeParameters, *, seed: int, cut: int
) -> Perturbations | None:
    """The samples of a view with the answers of a model, from what went into its last layer (m c float32) for them.

    Args:
        inputs: of each different picture, in order, as `Perturbations` has them.
        layer: the model's last layer.
        view: h w 3 uint8.
        parameters: that the samples were asked with.
        seed: of the samples and the segmentation.
        cut: see `Perturbations`.

    Returns:
        What `Lime.perturb` would have asked; None where that is another number of pictures.
    """
    segments = segment(view, parameters.segmentation, seed=seed)
    hidden = hidden_view(view, segments, parameters.hide_color)
    rows = draw(seed, parameters.most_samples, int(segments.max()) + 1)
    first, picture = distinct(rows, view, hidden, segments)
    if len(first) != len(inputs):
        return None
    known = Perturbations(
        segments=segments,
        rows=rows,
        probabilities=np.empty(0),
        evaluated=len(first),
        network="kept",
        precision_error=0.0,
        picture=picture,
        inputs=inputs,
        cut=cut,
    )
    return with_last_layer(known, layer, parameters)


def with_last_layer(
    found: Perturbations, layer: nn.Linear, parameters: LimeParameters
) -> Perturbations | None:
    """The same samples answered by a network that differs in its last layer alone, without a forward pass.

    Args:
        found: what went into the last layer was kept.
        layer: the other one.
        parameters: that the samples were asked with: the batches are the same, so that the answers are to the bit.

    Returns:
        None where it was not kept.
    """
    if found.inputs is None:
        return None
    scores = torch.cat(
        scores_of(layer, torch.from_numpy(found.inputs).split(parameters.batch_size), found.cut)
    )
    answers = probabilities(scores.double().cpu()).numpy()
    return replace(found, probabilities=answers[found.picture])


def explain_perturbations(
    perturbations: Perturbations, targets: Sequence[Asked], parameters: LimeParameters
) -> list[LimeResult]:
    """The surrogates of several targets from one view's samples, in the order of `targets`.

    Only what concerns the surrogate is read from the parameters: features and their selection, distance, kernel,
    regressor, `top_labels` and `positive_only`.
    """
    rows, answers = perturbations.rows, perturbations.probabilities
    top = np.argsort(answers[0])[::-1][: parameters.top_labels or 0].tolist()
    asked, most = [as_target(target) for target in targets], [as_target(label) for label in top]
    wanted = list(dict.fromkeys([*asked, *most]))
    surrogates = dict(zip(wanted, fit(rows, answers, wanted, parameters), strict=True))
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
                samples=len(rows),
                stable=perturbations.stable,
            )
        )
    return results
