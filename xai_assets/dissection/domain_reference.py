"""Are the images like those that a network knows, where some of those are at hand? Each image is held against them.

A network's channels have means and spreads over an image. Known images give the mean and covariance of these numbers
in every layer, and how far further known images lie from it. An image of another domain lies farther.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

FITTED = 200
"""Known images that the mean and the covariance are taken from."""

HELD_OUT = 200
"""Further known images, whose distances are the scale."""

FAR = 10
"""An image is far where fewer than so many of those held out lie farther: 5 % of known images are."""

MAX_P = 0.01
"""Images are foreign where known ones would have as many far ones among them with at most this probability.

Said of 24 images of the embedded world's networks (of 12): photographs mixed with microscopy, text and drawings in all
of 400 samples (99 to 100 %), photographs of natural things in all (83 to 100 %), scenes of the split `probe` in at most
1 % and of the split `test` in at most 7 % (of 12: 1 %). Scenes that were cropped, scaled or packed as JPEG are not;
made half as dark they are to the scene classifier and the encoder."""

_LEAST = 1e-4  # beside a channel's spread over an image


class Strange(NamedTuple):
    """How many of some images are far from what a network knows.

    Attributes:
        far, images: of how many.
        p: probability that as many of known images are far.
    """

    far: int
    images: int
    p: float

    @property
    def known(self) -> bool | None:
        """Whether the images can be of the network's domain; None where so few cannot tell."""
        return None if self.images < fewest() else self.p > MAX_P


class Reference(NamedTuple):
    """What known images give in a network.

    Attributes:
        mean, scale: float64 (f,), of the numbers of an image.
        axes: float64 (r, f), principal axes of the scaled numbers, unit length.
        precision: float64 (r,), one over the shrunk variance along them.
        rest: one over the shrunk variance along all others.
        limit: squared distance above which an image is far.
    """

    mean: np.ndarray
    scale: np.ndarray
    axes: np.ndarray
    precision: np.ndarray
    rest: float
    limit: float

    def distances(self, numbers: np.ndarray) -> np.ndarray:
        """Squared Mahalanobis distances (n,) of (n, f)."""
        scaled = (numbers - self.mean) / self.scale  # n f
        along = (scaled @ self.axes.T) ** 2  # n r
        others = (scaled**2).sum(axis=1) - along.sum(axis=1)
        return np.asarray(along @ self.precision + others * self.rest)

    def strange(self, numbers: np.ndarray) -> Strange:
        """How many of the images are far, and what to make of it: exact where they are exchangeable with the held-out.

        The number of n new images that lie beyond the FAR-th farthest of HELD_OUT follows a beta-binomial law.
        """
        return self.counted(self.distances(numbers))

    def counted(self, distances: np.ndarray) -> Strange:
        """The same of the images' `distances`."""
        far, images = int((distances > self.limit).sum()), len(distances)
        return Strange(far, images, _p(far, images))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """For the store; `from_arrays` is the way back."""
        return {name: np.asarray(value, np.float64) for name, value in self._asdict().items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Reference":
        """See `to_arrays`."""
        whole = {name: arrays[name] for name in ("mean", "scale", "axes", "precision")}
        return cls(**whole, rest=float(arrays["rest"]), limit=float(arrays["limit"]))


def fewest() -> int:
    """The smallest number of images that can be found to be foreign: if all are far."""
    return next(images for images in range(1, HELD_OUT) if _p(images, images) <= MAX_P)


def numbers_of(moments: Mapping[str, np.ndarray]) -> np.ndarray:
    """Mean and log of the spread of each image's channels, float64 (n, f), of `domain.Norms.moments`."""
    parts = []
    for of_images in moments.values():
        means, squares = of_images[..., 0], of_images[..., 1]  # n c
        spread = np.sqrt(np.maximum(squares - means**2, 0))
        parts += [means, np.log(spread + _LEAST)]
    return np.concatenate(parts, axis=1)


def reference_of(numbers: np.ndarray) -> Reference:
    """From the numbers (n, f) of FITTED + HELD_OUT known images, exchangeable with each other.

    The covariance is shrunk, as there are more numbers than images (Ledoit and Wolf 2004,
    doi:10.1016/S0047-259X(03)00096-4).
    Distances of Lee et al. 2018 (arXiv:1807.03888), over all layers at once and without classes.
    """
    from sklearn.covariance import ledoit_wolf_shrinkage  # half a second of import, once for a network

    if len(numbers) != FITTED + HELD_OUT:
        raise ValueError(f"{len(numbers)} images, {FITTED + HELD_OUT} are asked for")
    fitted, held_out = numbers[:FITTED], numbers[FITTED:]
    mean, spread = fitted.mean(axis=0), fitted.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    scaled = (fitted - mean) / scale
    shrinkage = float(ledoit_wolf_shrinkage(scaled, assume_centered=True))
    _, lengths, axes = np.linalg.svd(scaled, full_matrices=False)
    variances = lengths**2 / FITTED
    even = shrinkage * variances.sum() / scaled.shape[1]
    found = Reference(mean, scale, axes, 1 / ((1 - shrinkage) * variances + even), 1 / even, np.inf)
    return found._replace(limit=float(np.sort(found.distances(held_out))[-FAR]))


def _p(far: int, images: int) -> float:
    from scipy.stats import betabinom  # as above

    counts = np.arange(far, images + 1)  # summed: one less the rest would round to 0
    return min(1.0, float(betabinom.pmf(counts, images, FAR, HELD_OUT + 1 - FAR).sum()))


def said_of_strange(strange: Strange) -> tuple[str, bool | None]:
    """What is said, and whether the images can be of the network's domain; None where it is not known."""
    if strange.known is None:
        return f"not known: {strange.images} image is too few, it takes {fewest()}", None
    p = "p < 0.001" if strange.p < 0.001 else f"p = {strange.p:.3f}"
    said = (
        f"{strange.far} of {strange.images} images lie farther from the scenes that it knows than "
        f"{1 - FAR / HELD_OUT:.0%} of such scenes do ({p}; foreign where p is at most {MAX_P:g})"
    )
    if strange.known:
        return said, True
    return (
        f"{said}: these are not the images that it was trained on, and its answers on them may mean little",
        False,
    )
