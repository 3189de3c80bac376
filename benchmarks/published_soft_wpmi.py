"""CLIP-Dissect as its authors run it, in their order of operations: one unit at a time over whole float32 matrices.

Written from a reading of `utils.py` and `similarity.py` of Trustworthy-ML-Lab/CLIP-dissect.
"""

import math

import torch
from torch import Tensor


@torch.no_grad()
def soft_wpmi(
    similarity: Tensor,
    activations: Tensor,
    top_k: int = 100,
    a: float = 10,
    lam: float = 1,
    min_prob: float = 1e-7,
    p_start: float = 0.998,
    p_end: float = 0.97,
) -> Tensor:
    """(n, c) and (n, u) -> (u, c)."""
    probability = torch.softmax(a * similarity, dim=1)  # n c
    images = torch.topk(activations, top_k, dim=0).indices  # k u
    inside = (p_start - torch.arange(top_k) / top_k * (p_start - p_end))[:, None]  # k 1
    rows = []
    for unit in range(activations.shape[1]):
        chosen = images[:, unit, None].expand(-1, similarity.shape[1])  # k c
        shown = 1 + inside * (probability.gather(0, chosen) - 1)
        rows.append(torch.log(shown + min_prob).sum(0, keepdim=True))
    given = torch.cat(rows)  # u c
    general = torch.logsumexp(given, dim=0, keepdim=True) - math.log(len(given))
    return given - lam * general


@torch.no_grad()
def from_features(images: Tensor, texts: Tensor, activations: Tensor) -> Tensor:
    """The same from embeddings (n, d) and (c, d), as for every layer and model."""
    images = images / images.norm(dim=-1, keepdim=True)
    texts = texts / texts.norm(dim=-1, keepdim=True)
    return soft_wpmi(images @ texts.T, activations)
