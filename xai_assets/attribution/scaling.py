"""Per-image scaling of a map to 0..1. It throws absolute evidence away: for pictures and thresholds only."""

import numpy as np


def is_constant(values: np.ndarray) -> bool:
    """Whether a map has no pixel that stands out: its finite values are all the same, or it has none."""
    finite = values[np.isfinite(values)]
    return finite.size == 0 or bool(finite.max() == finite.min())


def scale(values: np.ndarray) -> np.ndarray:
    """A map (h w, any float) from its minimum to its maximum onto 0..1, float32.

    All zeros when it is constant. Pixels that are not finite become 0: nothing is known about them, and a
    map that has some carries a flag.
    """
    finite = np.isfinite(values)
    if is_constant(values):
        return np.zeros(values.shape, dtype=np.float32)
    exact = np.where(finite, values, np.nan).astype(np.float64)
    low, high = np.nanmin(exact), np.nanmax(exact)
    return np.nan_to_num((exact - low) / (high - low), nan=0.0).astype(np.float32)
