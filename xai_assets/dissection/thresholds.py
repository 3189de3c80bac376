"""The activation above which a unit counts as on."""

import numpy as np

from xai_assets.dissection.layer_activations import LayerActivations
from xai_assets.dissection.top_values import TopValues
from xai_assets.errors import XaiError


def values_above(quantile: float, values: int) -> int:
    """m = floor(quantile * values): how many of so many values may lie above the threshold.

    Raises:
        XaiError: the quantile is not between 0 and 1.
    """
    if not 0 < quantile < 1:
        raise XaiError(
            f"the quantile {quantile}", "it is a share between 0 and 1", "0.005 is the published one."
        )
    return int(np.floor(quantile * values + 1e-9))


def top_quantile_thresholds(layer: LayerActivations, quantile: float = 0.005) -> np.ndarray:
    """The level T_k with P(a_k > T_k) <= quantile over all images and positions of the low-resolution maps.

    Network Dissection (Bau et al. 2017) takes the top quantile of a unit's activations over all positions of all
    images, before upsampling. Its code estimates it from a sketch or with NumPy's interpolating percentile; here it
    is the order statistic itself: with m = floor(quantile * n h w), the (m + 1)-th largest value, so that at most m
    values lie above it. A unit that is above zero more seldom than that has the threshold 0.

    Args:
        layer: activations with maps.
        quantile: the share above the threshold, between 0 and 1.

    Returns:
        float32 (u,).

    Raises:
        XaiError: the layer has no maps; maps that reach above the threshold were not kept.
    """
    levels = threshold_bounds(layer, quantile)
    wanting = layer.wanting(levels)
    if wanting.any():
        raise XaiError(
            f"the threshold at the top {quantile:.2%} of activations",
            f"of {int(wanting.sum())} maps not all was kept that reaches above it",
            "Collect the activations for this quantile.",
        )
    return levels


def threshold_bounds(layer: LayerActivations, quantile: float) -> np.ndarray:
    """Levels that the thresholds are not below; the thresholds themselves where nothing above them is wanting.

    A map of which nothing was kept is known by its peak, which is one of its values; of a cell that was not kept one
    knows that it is not below the map's lowest value. So the (m + 1)-th largest of what is known, B, is not above the
    threshold T. Where all values above B are known, at most m of all values exceed B, so that T is not above B either.

    Returns:
        float32 (u,).
    """
    if layer.maps is None:
        raise XaiError("a threshold", "the layer has no maps", "Leave it out, or collect it with maps.")
    count, units, height, width = layer.maps.shape
    rank = values_above(quantile, count * height * width) + 1
    top = TopValues(units, rank)
    for of_unit, values in layer.maps.blocks():
        top.add(of_unit, values[:, None])
    absent = layer.maps.absent()  # n u, in cells
    whole = absent == height * width
    top.add(np.nonzero(whole)[1], layer.peak[whole][:, None])
    absent -= whole
    levels = top.settle().copy()
    highest = np.where(absent > 0, layer.lowest, -np.inf).max(axis=0)  # n u -> u
    for unit in np.flatnonzero(highest > levels):  # seldom: units that are never quiet, or hardly ever on
        levels[unit] = _with_lowest(top.of(int(unit)), layer.lowest[:, unit], absent[:, unit], rank)
    return levels


def _with_lowest(known: np.ndarray, lowest: np.ndarray, absent: np.ndarray, rank: int) -> float:
    """The rank-th largest of the known values and of every image's lowest, counted once for each absent cell."""
    order = np.argsort(-lowest, kind="stable")
    enough = int(np.searchsorted(np.cumsum(absent[order]), rank)) + 1
    values = np.concatenate([known, np.repeat(lowest[order[:enough]], absent[order[:enough]])])
    return float(np.partition(values, -rank)[-rank])
