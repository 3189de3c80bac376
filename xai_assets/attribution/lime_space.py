"""The LIME parameters that a search draws from, and how one draw is made."""

import math
from collections.abc import Callable

import numpy as np

from xai_assets.attribution.parameters import (
    Felzenszwalb,
    Grid,
    LimeParameters,
    Quickshift,
    Segmentation,
    Slic,
)

HIDE_COLORS: tuple[str | tuple[int, int, int], ...] = ("mean", "blur", (0, 0, 0), (127, 127, 127))
"""What a hidden superpixel may show: what belongs to the picture (mean, blur), and what does not."""

NUM_FEATURES = (None, 5, 10, 20)
"""Superpixels that the surrogate may use."""


def draw(base: LimeParameters, number: int, seed: int) -> LimeParameters:
    """The candidate of that number, from 1: the base with another segmentation, features and hide colour.

    It depends on number and seed alone, so that every image is searched with the same candidates and a longer search
    begins with the shorter one's. The segmentations take turns; sizes are drawn evenly on a logarithmic scale.

    Args:
        base: gives what is not searched (kernel width, batch size, …) and num_samples.
        number: 1, 2, …
        seed: of the search.
    """
    generator = np.random.default_rng([seed, number])
    segmentation = _SEGMENTATIONS[(number - 1) % len(_SEGMENTATIONS)](generator)
    return LimeParameters.model_validate(
        {
            **base.model_dump(),
            "segmentation": segmentation.model_dump(),
            "hide_color": HIDE_COLORS[generator.integers(len(HIDE_COLORS))],
            "num_features": NUM_FEATURES[generator.integers(len(NUM_FEATURES))],
        }
    )


def _between(generator: np.random.Generator, low: float, high: float) -> float:
    """Evenly on a logarithmic scale, to three digits: a person reads them in a study."""
    value = math.exp(generator.uniform(math.log(low), math.log(high)))
    return float(f"{value:.3g}")


def _slic(generator: np.random.Generator) -> Segmentation:
    return Slic(
        n_segments=round(_between(generator, 20, 150)),
        compactness=_between(generator, 1, 40),
        sigma=float(generator.integers(0, 3)),
    )


def _quickshift(generator: np.random.Generator) -> Segmentation:
    return Quickshift(
        kernel_size=_between(generator, 2, 8),
        max_dist=_between(generator, 6, 200),
        ratio=float(f"{generator.uniform(0.1, 0.9):.2g}"),
    )


def _felzenszwalb(generator: np.random.Generator) -> Segmentation:
    return Felzenszwalb(scale=_between(generator, 20, 500), min_size=round(_between(generator, 20, 200)))


def _grid(generator: np.random.Generator) -> Segmentation:
    side = int(generator.integers(5, 13))
    return Grid(rows=side, columns=side)


_SEGMENTATIONS: tuple[Callable[[np.random.Generator], Segmentation], ...] = (
    _slic,
    _quickshift,
    _felzenszwalb,
    _grid,
)
