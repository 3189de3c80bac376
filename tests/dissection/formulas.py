"""CLIP-Dissect's five similarity functions as their formulas stand, one unit at a time, in float64."""

import numpy as np

from xai_assets.dissection.ties import image_keys, tie_order


def _softmax(cosines, a):
    weights = np.exp(a * (cosines - cosines.max(1, keepdims=True)))
    return weights / weights.sum(1, keepdims=True)


def _top(activations, unit, count):
    keys = image_keys([str(image) for image in range(len(activations))])
    return np.lexsort((tie_order(keys, unit), -activations[:, unit]))[:count]


def _against_the_layer(given, lam):
    most = given.max(0)
    return given - lam * (np.log(np.exp(given - most).mean(0)) + most)


def soft_wpmi(cosines, activations, top_k=100, a=10.0, lam=1.0, min_prob=1e-7, p_start=0.998, p_end=0.97):
    cosines = cosines.astype(np.float64)
    probability = _softmax(cosines, a)
    inside = p_start - np.arange(top_k) / top_k * (p_start - p_end)
    given = [
        np.log(1 + inside[:, None] * (probability[_top(activations, unit, top_k)] - 1) + min_prob).sum(0)
        for unit in range(activations.shape[1])
    ]
    return _against_the_layer(np.array(given), lam)


def wpmi(cosines, activations, top_k=28, a=2.0, lam=0.6, min_prob=1e-7):
    probability = _softmax(cosines.astype(np.float64), a)
    given = [
        np.log(probability[_top(activations, unit, top_k)] + min_prob).sum(0)
        for unit in range(activations.shape[1])
    ]
    return _against_the_layer(np.array(given), lam)


def rank_reorder(cosines, activations, p=3.0, top_fraction=0.05, scale_p=0.5):
    count = int(len(cosines) * top_fraction)
    scores = np.empty((activations.shape[1], cosines.shape[1]))
    for unit in range(activations.shape[1]):
        top = _top(activations, unit, count)
        target = activations[top, unit].astype(np.float64)  # falling
        chance = np.mean(np.abs(target[:, None] - target[None, :]) ** p)
        for concept in range(cosines.shape[1]):
            ranks = np.argsort(np.argsort(cosines[top, concept]))  # 0 is the smallest cosine
            given = target[::-1][ranks]
            mean = cosines[top, concept].astype(np.float64).mean()
            scores[unit, concept] = -np.mean(np.abs(target - given) ** p) / chance / mean**scale_p
    return scores


def cos_similarity(cosines, activations):
    f, g = activations.astype(np.float64), cosines.astype(np.float64)
    return (f.T @ g) / np.linalg.norm(f, axis=0)[:, None] / np.linalg.norm(g, axis=0)


def cos_similarity_cubed(cosines, activations, min_norm=1e-3):
    f, g = ((v - v.mean(0)) ** 3 for v in (activations.astype(np.float64), cosines.astype(np.float64)))
    lengths = [np.maximum(np.linalg.norm(v, axis=0), min_norm) for v in (f, g)]
    return (f.T @ g) / lengths[0][:, None] / lengths[1]
