"""A model whose pixels' contributions are known: a weighted sum of the picture."""

import numpy as np


class LinearModel:
    """Scores n h w 3 by the sum of weights times values; counts the pictures that it was shown."""

    def __init__(self, weights):
        self.weights, self.shown = weights, 0

    def __call__(self, pictures):
        self.shown += len(pictures)
        return np.einsum("nhwc,hwc->n", pictures.astype(np.float64), self.weights)

    def contributions(self, image, baseline):
        """How much each pixel adds over the baseline: h w."""
        return ((image.astype(np.float64) - baseline) * self.weights).sum(axis=2)


def linear_case(seed=0, height=8, width=6):
    """A model and an image."""
    generator = np.random.default_rng(seed)
    return LinearModel(generator.normal(size=(height, width, 3))), generator.normal(
        size=(height, width, 3)
    ).astype(np.float32)
