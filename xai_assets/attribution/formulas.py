"""The class activation maps that are a formula on activations and gradients, given those that are recorded here.

The formulas are grad-cam's (pytorch_grad_cam 1.5), operation by operation, so that the maps are the library's to the bit.
The library itself is not asked: it hooks the network, keeps references that in-place operations write into, computes the
whole network's gradient, and takes seconds to import.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from xai_assets.attribution.parameters import CLASS_AGNOSTIC

WITHOUT_GRADIENT = CLASS_AGNOSTIC
"""Those that only look at the activations: the same map for every class."""


@dataclass(frozen=True)
class Weighted:
    """A formula's answer: `low` n h' w', and `weights` n c where the method has one a channel."""

    low: np.ndarray
    weights: np.ndarray | None


def _gradcam(maps: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74."""
    return np.asarray(np.mean(gradients, axis=(2, 3)))


def _gradcampp(maps: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Chattopadhay et al. 2018, doi:10.1109/WACV.2018.00097, equation 19 and the ReLU of equation 7."""
    squares = gradients**2
    cubes = squares * gradients
    totals = np.sum(maps, axis=(2, 3))[:, :, None, None]
    alpha = squares / (2 * squares + totals * cubes + 1e-6)
    alpha = np.where(gradients != 0, alpha, 0)
    return np.asarray(np.sum(np.maximum(gradients, 0) * alpha, axis=(2, 3)))


def _xgradcam(maps: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Fu et al. 2020, arXiv:2008.02312."""
    totals = np.sum(maps, axis=(2, 3))[:, :, None, None]
    return np.asarray((gradients * maps / (totals + 1e-7)).sum(axis=(2, 3)))


def _hirescam(maps: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Draelos & Carin 2020, arXiv:2011.08891."""
    return np.asarray((gradients * maps).sum(axis=1))


def _layercam(maps: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Jiang et al. 2021, doi:10.1109/TIP.2021.3089943."""
    return np.asarray((np.maximum(gradients, 0) * maps).sum(axis=1))


def _eigencam(maps: np.ndarray) -> np.ndarray:
    """Muhammad & Yeasin 2020, doi:10.1109/IJCNN48605.2020.9206626: the first principal component over positions."""
    found = []
    for channels in np.where(np.isnan(maps), 0, maps):
        positions = channels.reshape(len(channels), -1).transpose()  # c h w -> h*w c
        centred = positions - positions.mean(axis=0)
        _, _, components = np.linalg.svd(centred, full_matrices=True)
        found.append((centred @ components[0, :]).reshape(channels.shape[1:]))
    return np.asarray(found, np.float32)


Formula = Callable[[np.ndarray, np.ndarray], np.ndarray]

WEIGHTS: dict[str, Formula] = {"gradcam": _gradcam, "gradcampp": _gradcampp, "xgradcam": _xgradcam}
"""Activations and gradients (n c h w) -> a weight of each channel (n c)."""

PRODUCTS: dict[str, Formula] = {"hirescam": _hirescam, "layercam": _layercam}
"""Activations and gradients (n c h w) -> the map (n h w): the gradient weighs each position by itself."""

FORMULAS = ("gradcam", "hirescam", "gradcampp", "xgradcam", "layercam", "eigencam")


def weighted_sum(method: str, maps: Tensor, gradients: Tensor | None) -> Weighted:
    """The map of each image from the layer's activations and gradients, float32 (n c h w)."""
    values = maps.cpu().numpy()
    if gradients is None:
        return Weighted(_eigencam(values), None)
    slopes = gradients.cpu().numpy()
    if method in PRODUCTS:
        return Weighted(np.asarray(PRODUCTS[method](values, slopes), np.float32), None)
    weights = WEIGHTS[method](values, slopes)
    return Weighted(np.asarray((weights[:, :, None, None] * values).sum(axis=1), np.float32), weights)
