"""CLIP-Dissect (Oikarinen & Weng 2023): which concept do the images that drive a unit have in common?"""

import numpy as np
import torch
from torch import Tensor

from xai_assets.errors import XaiError

CODE_VERSION = 1
"""Part of the key of kept scores: raise it when their numbers change."""

BLOCK_BYTES = 256 * 2**20
"""Working memory of the scoring, apart from its input and its result."""

P_START, P_END, MIN_PROB = 0.998, 0.97, 1e-7


def concept_similarity(image_features: np.ndarray, text_features: np.ndarray) -> np.ndarray:
    """Cosine similarity of every probe image with every concept: float32 (n, c) in -1..1.

    Args:
        image_features: (n, d), need not be normalised.
        text_features: (c, d), need not be normalised.

    Raises:
        XaiError: widths differ, an embedding is zero or not finite.
    """
    images, texts = _unit_length(image_features, "image"), _unit_length(text_features, "text")
    if images.shape[1] != texts.shape[1]:
        raise XaiError(
            "image and text features",
            f"they have {images.shape[1]} and {texts.shape[1]} dimensions",
            "Embed both with one encoder.",
        )
    return images @ texts.T  # n d, d c -> n c


def top_images(activations: np.ndarray, count: int) -> np.ndarray:
    """The images that drive each unit most, strongest first: int64 (count, u).

    Equal activations are taken in the order of the images, so that the answer does not depend on the machine.
    """
    values = torch.from_numpy(np.ascontiguousarray(activations, dtype=np.float32))  # n u
    return torch.sort(values, dim=0, descending=True, stable=True).indices[:count].numpy()


def soft_wpmi(
    similarity: np.ndarray,
    activations: np.ndarray,
    *,
    top_k: int = 100,
    a: float = 10.0,
    lam: float = 1.0,
    min_prob: float = MIN_PROB,
    p_start: float = P_START,
    p_end: float = P_END,
    block_bytes: int = BLOCK_BYTES,
) -> np.ndarray:
    """Soft weighted pointwise mutual information of every unit with every concept: float32 (u, c), in nats.

    With P = softmax over concepts of a * similarity, and images x_0, x_1, ... by falling activation of unit k,

        log p(x|t) = sum_r log(1 + p_r (P[x_r, t] - 1) + min_prob),   p_r = p_start - r / top_k (p_start - p_end)
        soft-WPMI(k, t) = log p(x_k|t) - lam (logsumexp_k' log p(x_k'|t) - log u)

    as the authors' code has it, so the sum over k' runs over all units of the layer, silent ones too: a layer is
    scored whole. It is computed in blocks of concepts, which do not depend on each other: any `block_bytes` gives
    the same numbers. Logarithms are float32 and their sums float64.

    Args:
        similarity: (n, c), from `concept_similarity`.
        activations: (n, u), pooled.
        top_k: images a unit that count.
        a, lam, min_prob, p_start, p_end: as in the formula; the defaults are the published ones.
        block_bytes: working memory.

    Raises:
        XaiError: fewer than `top_k` images, fewer than two concepts, or values that are not finite.
    """
    _check(similarity, activations, top_k)
    scaled = torch.from_numpy(np.ascontiguousarray(similarity, dtype=np.float32)) * a  # n c
    log_total = torch.logsumexp(scaled, dim=1, keepdim=True)  # n 1
    chosen = torch.from_numpy(top_images(activations, top_k))  # k u
    weights = p_start - torch.arange(top_k) / top_k * (p_start - p_end)  # k
    images, concepts = scaled.shape
    units = chosen.shape[1]
    # A block holds P (n), one gathered rank and its logarithm (2 u, float32) and the sums (u, float64).
    block = max(1, block_bytes // (4 * (images + 4 * units)))
    scores = np.empty((units, concepts), np.float32)
    for start in range(0, concepts, block):
        stop = min(start + block, concepts)
        probability = torch.exp(scaled[:, start:stop] - log_total)  # n b
        given = torch.zeros(units, stop - start, dtype=torch.float64)  # u b
        for rank in range(top_k):
            picked = probability[chosen[rank]]  # u b
            given += torch.log(1 + weights[rank] * (picked - 1) + min_prob)
        marginal = torch.logsumexp(given, dim=0, keepdim=True) - np.log(units)  # 1 b
        scores[:, start:stop] = (given - lam * marginal).numpy()
    return scores


def _unit_length(features: np.ndarray, kind: str) -> np.ndarray:
    features = np.asarray(features, dtype=np.float32)
    length: np.ndarray = np.linalg.norm(features, axis=1, keepdims=True)
    bad = ~(np.isfinite(length) & (length > 0))
    if bad.any():
        raise XaiError(
            f"{kind} embedding {int(np.argmax(bad))}",
            "it is zero or not finite",
            "Check the encoder's weights and its input.",
        )
    return features / length


def _check(similarity: np.ndarray, activations: np.ndarray, top_k: int) -> None:
    images, concepts = similarity.shape
    if activations.shape[0] != images:
        raise XaiError(
            "similarities and activations",
            f"they are of {images} and {activations.shape[0]} images",
            "Take both from one probe set.",
        )
    if not 1 <= top_k <= images:
        raise XaiError(
            f"top_k = {top_k}", f"there are {images} probe images", "Use more images or a smaller top_k."
        )
    if concepts < 2:
        raise XaiError(
            "the concept list", f"it has {concepts} concept; the softmax needs at least two", "Add concepts."
        )
    for what, values in (("similarities", similarity), ("activations", activations)):
        if not np.isfinite(values).all():
            raise XaiError(
                f"the {what}", "they hold values that are not finite", "Find where they come from."
            )


def best_two(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The best and the second best concept of each unit: two int64 (u,); the earlier concept where scores are equal."""
    ranked = (
        torch.sort(_tensor(scores), dim=1, descending=True, stable=True).indices[:, :2].numpy()
    )  # u c -> u 2
    return ranked[:, 0], ranked[:, 1]


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))
