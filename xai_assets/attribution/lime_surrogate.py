"""LIME's surrogate: a linear model of a class's probability over which superpixels are shown.

Of the difference of two classes it is a model of their log-odds (see `targets`); what is called probability here is then
that. Ridge and least squares are linear in what they fit, so that its larger scale changes nothing else; lasso's `alpha`
is a threshold on that scale.

Each sample counts by how close it is to the unperturbed view: sqrt(exp(-d² / kernel_width²)). The distances have
closed forms, for the first sample shows everything: with k of s superpixels shown, the cosine distance is
1 - sqrt(k / s).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from xai_assets.attribution.lime_regression import r_squared, regress
from xai_assets.attribution.lime_selection import select
from xai_assets.attribution.parameters import LimeParameters
from xai_assets.attribution.targets import Asked, as_target


@dataclass(frozen=True)
class Surrogate:
    """The linear model of one class, or of the difference of two.

    Attributes:
        target: index of the class.
        weights: float64, one a superpixel, of either sign; 0 for those that the surrogate does not use.
        used: int64, the superpixels that it uses, by falling size of their weight.
        r2: how much of the perturbed predictions' variance it explains, weighted by closeness; at most 1. None where
            there is nothing to explain: the predictions do not vary, or fewer than `LEAST_EFFECTIVE` count.
        intercept: what it predicts where nothing is shown.
        surrogate_probability: what it predicts for the view.
        probability: what the model predicts for it.
        contrast: index of the second class of a difference.
    """

    target: int
    weights: np.ndarray
    used: np.ndarray
    r2: float | None
    intercept: float
    surrogate_probability: float
    probability: float
    contrast: int | None = field(default=None, kw_only=True)


def distances(rows: np.ndarray, metric: str) -> np.ndarray:
    """How far each sample is from the one that shows everything: n s of 0 and 1 -> n float64."""
    superpixels = rows.shape[1]
    shown = rows.sum(axis=1, dtype=np.int64)
    hidden = superpixels - shown
    match metric:
        case "cosine":
            return 1 - np.sqrt(shown / superpixels)
        case "euclidean" | "l2":
            return np.sqrt(hidden)
        case "manhattan" | "l1" | "cityblock":
            return hidden.astype(np.float64)
        case "hamming":
            return hidden / superpixels
        case _:
            raise ValueError(f"no distance is called {metric!r}")


def closeness(rows: np.ndarray, parameters: LimeParameters) -> np.ndarray:
    """How much each sample counts, n float64 in 0..1."""
    return np.sqrt(np.exp(-(distances(rows, parameters.distance_metric) ** 2) / parameters.kernel_width**2))


def fit(
    rows: np.ndarray, probabilities: np.ndarray, targets: Sequence[Asked], parameters: LimeParameters
) -> list[Surrogate]:
    """The surrogates of several targets from the same samples, in the order of `targets`.

    Args:
        rows: n s of 0 and 1, what each sample shows; the first shows everything.
        probabilities: n k float64, the model's answers.
        targets: classes, or differences of two.
        parameters: distance, kernel, selection and regressor.

    Raises:
        AttributionError: a difference without log-odds, see `Target.fitted`.
    """
    asked = [as_target(target) for target in targets]
    weights = closeness(rows, parameters)
    samples, scores = (
        rows.astype(np.float64),
        np.stack([one.fitted(probabilities) for one in asked], axis=1),
    )  # n s, n t
    chosen = select(samples, scores, weights, parameters)
    if all(len(used) == rows.shape[1] for used in chosen):
        coefficients, intercepts = regress(samples, scores, weights, parameters.model_regressor)
    else:
        coefficients, intercepts = np.zeros((rows.shape[1], len(chosen))), np.zeros(len(chosen))
        for label, used in enumerate(chosen):
            column = scores[:, label : label + 1]
            found, intercept = regress(samples[:, used], column, weights, parameters.model_regressor)
            coefficients[used, label], intercepts[label] = found[:, 0], intercept[0]
    r2 = r_squared(scores, samples @ coefficients + intercepts, weights)
    return [
        Surrogate(
            target=target.index,
            weights=coefficients[:, label].copy(),
            used=used[np.argsort(-np.abs(coefficients[used, label]), kind="stable")],
            r2=float(r2[label]) if np.isfinite(r2[label]) else None,
            intercept=float(intercepts[label]),
            surrogate_probability=float(intercepts[label] + coefficients[:, label].sum()),
            probability=float(scores[0, label]),
            contrast=target.contrast,
        )
        for label, (target, used) in enumerate(zip(asked, chosen, strict=True))
    ]
