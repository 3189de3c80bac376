"""The activation above which a unit counts as on."""

import numpy as np

from xai_assets.errors import XaiError

_BLOCK_VALUES = 2**25
"""Values sorted at a time: 128 MiB as float32."""


def top_quantile_thresholds(maps: np.ndarray, quantile: float = 0.005) -> np.ndarray:
    """The level T_k with P(a_k > T_k) <= quantile over all images and positions of the low-resolution maps.

    Network Dissection (Bau et al. 2017) takes the top quantile of a unit's activations over all positions of all
    images, before upsampling. Its code estimates it from a sketch or with NumPy's interpolating percentile; here it
    is the order statistic itself: with m = floor(quantile * n h w), the (m + 1)-th largest value, so that at most m
    values lie above it. A unit that is above zero more seldom than that has the threshold 0.

    Args:
        maps: (n, u, h, w), float16 or float32, possibly memory-mapped.
        quantile: the share above the threshold, between 0 and 1.

    Returns:
        float32 (u,).
    """
    if not 0 < quantile < 1:
        raise XaiError(
            f"the quantile {quantile}", "it is a share between 0 and 1", "0.005 is the published one."
        )
    count, units, height, width = maps.shape
    values = count * height * width
    above = int(np.floor(quantile * values + 1e-9))
    block = max(1, _BLOCK_VALUES // values)
    thresholds = np.empty(units, np.float32)
    for start in range(0, units, block):
        part = np.asarray(maps[:, start : start + block], np.float32)  # n b h w
        flat = part.transpose(1, 0, 2, 3).reshape(part.shape[1], -1)  # b values
        thresholds[start : start + block] = np.partition(flat, values - above - 1, axis=1)[
            :, values - above - 1
        ]
    return thresholds
