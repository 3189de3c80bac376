"""ScoreCAM's fast mode: some channels are scored, and a Gaussian process predicts the scores of the others.

The score of an image behind a mask is a smooth function of the mask, and the masks are a layer's channels, scaled to 0..1
(the process is smooth in their square roots, so that differences among dark places count more, and linear in themselves).
The first channels are drawn at random. Then those are scored, a few at a time, that tell most of the map: each one is to
lower the variance of the map's places the most, after those before it (sequential design by expected variance: Cohn 1996,
doi:10.1016/0893-6080(95)00137-9). The map is made of the mean softmax weights of draws from the posterior.

Each draw gives a map, and a mask where that is at least half of its range. The mean IoU of these masks with the returned
map's mask is what to expect of the exact map's, and ends the search. What is claimed is a bound: the IoU that 9 of 10
draws reach. Deviations are widened by how wrong the process was about channels that it predicted and that were then
scored, by WIDER, and for the bound by BOUND. docs/fast-scorecam.md holds claims against what is true, on maps that these
two were not set on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.linalg import cholesky

from xai_assets.attribution.binarisation import BinarisationPolicy, binarise
from xai_assets.attribution.gaussian_process import GaussianProcess, Posterior

FIRST = 32
"""Channels that are scored before any is predicted."""

BATCH = 8
"""Channels that are scored between two looks at the posterior."""

LEAST = 64
"""Channels that are scored at least: below, claims are too high."""

DRAWS = 128
"""Maps drawn from the posterior."""

HOLD = 0.9
"""Share of the draws whose mask reaches the claimed IoU."""

WIDER = 1.25
"""Deviations are multiplied by this, so that what is expected holds on the maps that it was set on."""

BOUND = 1.25
"""Deviations are multiplied by this as well for what is claimed, so that 9 of 10 claims hold."""

_CANDIDATES = 256
"""Channels without a score that are drawn together; those that no draw could give weight keep their mean."""

_POLICY = BinarisationPolicy(policy="fixed", value=0.5)


@dataclass(frozen=True)
class FastWeights:
    """What fast mode found.

    The IoU is of the map's and the exact map's masks at half of their range, 0..1; 1 where all channels were scored.

    Attributes:
        weights: c float64, sum 1.
        scored: the channels that were scored, in that order.
        expected_iou: what to expect of the IoU.
        claimed_iou: a bound that the IoU reaches in 9 of 10 maps.
    """

    weights: np.ndarray
    scored: np.ndarray
    expected_iou: float
    claimed_iou: float


def fast_weights(
    maps: np.ndarray,
    constant: np.ndarray,
    hidden: float | None,
    size: tuple[int, int],
    score: Callable[[np.ndarray], np.ndarray],
    *,
    iou: float,
    most: int,
    seed: int,
) -> FastWeights:
    """The softmax weights of all channels, from the scores of some.

    Args:
        maps: c h' w' float, the layer's channels.
        constant: c bool, channels that are the same everywhere and hide all of the image.
        hidden: the score of the hidden image; None where there are no such channels.
        size: height and width of the map whose mask is meant.
        score: the scores (n float64) of channels (n indices), asked for one batch after another.
        iou: stop when this is to be expected.
        most: channels that are scored at most.
        seed: of the first channels and of the draws; the same seed gives the same bytes.
    """
    fixed = np.flatnonzero(constant)
    masks = _scaled(maps)
    process = GaussianProcess(np.sqrt(masks), masks)
    order = np.random.default_rng(seed).permutation(np.flatnonzero(~constant))
    most = min(most, len(order))
    known = order[: min(FIRST, most)]
    certain = np.zeros(len(maps))
    certain[fixed] = 0 if hidden is None else hidden
    certain[known] = score(known) if len(known) else 0
    errors: list[np.ndarray] = []
    while len(known) < len(order):
        given = np.concatenate([known, fixed[:1]])
        posterior = process.given(given, certain[given])
        mean = posterior.mean.copy()
        mean[known], mean[fixed] = certain[known], certain[fixed]
        generator = np.random.default_rng([seed, len(known)])
        unsure = _Unsure.of(
            posterior, mean, np.concatenate([known, fixed]), maps, WIDER * _wider(errors), generator
        )
        weights = unsure.weights.mean(axis=0)
        expected = float(np.mean(_overlaps(weights, unsure.weights, maps, size)))
        if len(known) >= most or (len(known) >= LEAST and expected >= iou):
            bounds = sorted(_overlaps(weights, unsure.weights_of(mean, BOUND), maps, size), reverse=True)
            return FastWeights(weights, known, expected, bounds[int(np.ceil(HOLD * len(bounds))) - 1])
        chosen = unsure.best(maps, min(BATCH, most - len(known)))
        found = score(chosen)
        errors.append((found - posterior.mean[chosen]) / posterior.deviation[chosen])
        certain[chosen] = found
        known = np.concatenate([known, chosen])
    return FastWeights(softmax(certain), known, 1.0, 1.0)


def _scaled(maps: np.ndarray) -> np.ndarray:
    """Channels (c h' w') from 0 to 1 each, 0 where they are constant: c (h' w') float64."""
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    low, high = flat.min(axis=1, keepdims=True), flat.max(axis=1, keepdims=True)
    return (flat - low) / np.where(high > low, high - low, 1)


def _wider(errors: list[np.ndarray]) -> float:
    """How much wider than it said the process was about what it predicted: at least 1."""
    return max(1.0, float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))) if errors else 1.0


@dataclass(frozen=True)
class _Unsure:
    """The channels whose unknown scores could move the map, and scores drawn for them.

    Attributes:
        channels: n indices.
        covariance: n n float64, of their scores.
        offsets: draws n float64, drawn scores less their mean.
        weights: draws c float64, the softmax weights of all channels with them.
    """

    channels: np.ndarray
    covariance: np.ndarray
    offsets: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(
        cls,
        posterior: Posterior,
        mean: np.ndarray,
        sure: np.ndarray,
        maps: np.ndarray,
        wider: float,
        generator: np.random.Generator,
    ) -> "_Unsure":
        """Of the scores' mean (c float64), of which some (indices) are certain."""
        could = softmax(mean + 2 * wider * posterior.deviation) * np.linalg.norm(maps, axis=(1, 2))
        could[sure] = -1
        channels = np.argsort(-could, kind="stable")[: min(_CANDIDATES, len(maps) - len(sure))]
        covariance = wider**2 * posterior.covariance(channels)
        root = cholesky(covariance, lower=True)
        offsets = generator.standard_normal((DRAWS, len(channels))) @ root.T
        found = cls(channels, covariance, offsets, np.empty(0))
        return replace(found, weights=found.weights_of(mean))

    def weights_of(self, mean: np.ndarray, wider: float = 1.0) -> np.ndarray:
        """The softmax weights of all channels (draws c) with offsets that are so much wider."""
        scores = np.repeat(mean[None], DRAWS, axis=0)  # c -> draws c
        scores[:, self.channels] += wider * self.offsets
        return softmax(scores)

    def best(self, maps: np.ndarray, count: int) -> np.ndarray:
        """The channels (count indices) that lower the variance of the map's places most, one after another."""
        drawn = np.maximum(self.weights @ maps.reshape(len(maps), -1), 0)  # draws c, c p -> draws p
        drawn = drawn / np.maximum(drawn.max(axis=1, keepdims=True), np.finfo(float).tiny)
        shared = (drawn - drawn.mean(axis=0)).T @ self.offsets / len(drawn)  # p n
        covariance, chosen = self.covariance.copy(), list[int]()
        for _ in range(min(count, len(self.channels))):
            gain = (shared**2).sum(axis=0) / np.diag(covariance)
            gain[chosen] = -1
            best = int(gain.argmax())
            chosen.append(best)
            column = covariance[:, best] / covariance[best, best]
            shared = shared - np.outer(shared[:, best], column)
            covariance = covariance - np.outer(column, covariance[best])
            covariance[np.diag_indices_from(covariance)] += 1e-12 * self.covariance.diagonal()
        return self.channels[chosen]


def _overlaps(weights: np.ndarray, drawn: np.ndarray, maps: np.ndarray, size: tuple[int, int]) -> list[float]:
    """The IoU of the mask of some weights (c) and each of drawn ones (draws c)."""
    own = mask(weights, maps, size)
    return [overlap(own, mask(one, maps, size)) for one in drawn]


def mask(weights: np.ndarray, maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Where the map of channels (c h' w') with these weights (c) is at least half of its range: h w bool."""
    low = np.tensordot(weights, maps, axes=1)  # c, c h' w' -> h' w'
    positive = np.maximum(low, 0).astype(np.float32)
    return binarise(cv2.resize(positive, size[::-1], interpolation=cv2.INTER_LINEAR), _POLICY)[0]


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two masks; 1 of two empty ones, which are the same map."""
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0


def softmax(scores: np.ndarray) -> np.ndarray:
    """Of the last axis, float64."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)
