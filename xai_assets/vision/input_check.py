"""Is what goes into the model what it was trained on? Looked at on the view and on the normalised input."""

from dataclasses import dataclass

import numpy as np

from xai_assets.vision.spec import PreprocessingSpec

NEARLY_CONSTANT = 2.0
"""Standard deviation of a view's most varied channel, in levels of 255, below which there is nothing to see in it."""

ROUNDING = 1e-4
"""Of the expected range's width: float32 normalisation rounds."""


_LEVELS = np.arange(256.0)


@dataclass(frozen=True)
class InputCheck:
    """What was seen of a model's input.

    Attributes:
        low, high: the smallest and the largest value of the input, after normalisation; None where none is finite.
        findings: what is unusual, in words; empty when nothing is.
    """

    low: float | None
    high: float | None
    findings: tuple[str, ...]


def check_input(view: np.ndarray, batch: np.ndarray, spec: PreprocessingSpec) -> InputCheck:
    """Look at one picture's input.

    Args:
        view: h w 3 uint8, what the model sees.
        batch: 3 h w float, that normalised.
        spec: the preprocessing, which says what range to expect: mean and standard deviation of the pixels 0 to 255.

    Raises:
        ValueError: the view is not uint8 (h, w, 3).
    """
    if view.dtype != np.uint8 or view.ndim != 3 or view.shape[2] != 3:
        raise ValueError(f"a view must be uint8 (h, w, 3), not {view.dtype} {view.shape}")
    findings = []
    if view.max() <= 1:
        # A picture of 0 and 1 was scaled to 0..1 and saved; a black one is merely constant, below.
        findings += (
            ["no pixel is above 1 of 255: was it scaled to 0..1 before it was saved?"] if view.any() else []
        )
    deviation = max(
        _deviation(view[..., channel]) for channel in range(3)
    )  # one colour everywhere is constant
    if deviation < NEARLY_CONSTANT:
        findings.append(f"nearly constant: its pixels deviate by {deviation:.2g} of 255")
    finite = batch[np.isfinite(batch)]
    if finite.size < batch.size:
        findings.append(f"{batch.size - finite.size} values are not finite")
    if not finite.size:
        return InputCheck(None, None, tuple(findings))
    low, high = float(finite.min()), float(finite.max())
    expected_low, expected_high = spec.expected_range
    slack = ROUNDING * (expected_high - expected_low)
    if low < expected_low - slack or high > expected_high + slack:
        findings.append(
            f"values from {low:.4g} to {high:.4g} where {expected_low:.4g} to {expected_high:.4g} are expected"
        )
    return InputCheck(low, high, tuple(findings))


def _deviation(levels: np.ndarray) -> float:
    """The standard deviation of 8-bit values, from how often each level occurs."""
    counts = np.bincount(levels.ravel(), minlength=256)
    mean = counts @ _LEVELS / levels.size
    return float(np.sqrt(counts @ (_LEVELS - mean) ** 2 / levels.size))
