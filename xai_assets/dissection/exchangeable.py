"""Which images may change places under the null: groups of images of one photograph move as wholes.

A permutation null holds only where the images are exchangeable. Crops, bursts and re-encodings of one photograph are
not: a unit that knows nothing but "this photograph" is high on all of them at once, and images permuted one by one
would call that knowledge.
"""

from math import lgamma, log

import numpy as np

from xai_assets.errors import XaiError

FEWEST_ORDERS = 10_000
"""With fewer different orders of the groups nothing is decided: 8 groups of one size have 40,320, 7 have 5,040."""


def image_permutations(images: int, count: int, *, seed: int, groups: np.ndarray | None = None) -> np.ndarray:
    """`count` random orders of the images under which groups move as wholes: int (count, images).

    In each, a group takes the place of a group of the same size, its first image that of the first, and so on. This is
    exact (whole-block exchangeability, Winkler et al. 2015, doi:10.1016/j.neuroimage.2015.05.092): say a unit
    knows nothing of what is in the photographs. Then its values on the groups of one size, taken as vectors, come in
    any order with the same probability, whatever the images of one group have to do with each other; and the orders
    drawn here are a uniform sample of the group of those permutations (a product of symmetric groups, one for each
    size). The share of a statistic's values under them that are as large as the observed one, itself counted in,
    is then at most a with probability at most a. A group without another of its size stays where it is, which
    costs power and not exactness.

    Args:
        images: how many.
        count: how many orders; each depends on the seed, its number and the groups only.
        seed: they follow from it.
        groups: int (images,), the group of each image; None: each image is a group of its own.
    """
    if groups is None:
        return np.stack(
            [np.random.default_rng([seed, number]).permutation(images) for number in range(count)]
        )
    blocks = _blocks(groups, images)
    found = np.empty((count, images), np.int64)
    for number in range(count):
        generator = np.random.default_rng([seed, number])
        for block in blocks:  # groups of one size: m s
            found[number, block] = block[generator.permutation(len(block))]
    return found


def orders(groups: np.ndarray) -> float:
    """Natural logarithm of the number of different orders that groups (n,) have as wholes."""
    return sum(lgamma(len(block) + 1) for block in _blocks(groups, len(groups)))


def enough(groups: np.ndarray | None) -> bool:
    """Whether groups can be put in so many orders that a null can decide something."""
    return groups is None or orders(groups) >= log(FEWEST_ORDERS)


def too_few(groups: np.ndarray) -> str:
    """What is said where nothing is decided."""
    return (
        f"Whether units are beyond chance cannot be told: the {len(groups)} probe images are {len(np.unique(groups))} "
        f"groups of images of one photograph, too few to permute. Add other images"
    )


def nontrivial(groups: np.ndarray | None) -> np.ndarray | None:
    """The groups, or None where each image is one of its own: what is permuted one by one needs no groups."""
    return None if groups is None or len(np.unique(groups)) == len(groups) else np.asarray(groups)


def _blocks(groups: np.ndarray, images: int) -> list[np.ndarray]:
    """The images of the groups, one array a size: int (groups of that size, size), smaller sizes first."""
    groups = np.asarray(groups)
    if groups.shape != (images,):
        raise XaiError(
            "the groups of the probe images",
            f"they are {groups.shape}, the images {images}",
            "Give one group an image.",
        )
    _, of_image, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    members = np.split(np.argsort(of_image, kind="stable"), np.cumsum(sizes)[:-1])
    return [np.stack([members[at] for at in np.flatnonzero(sizes == size)]) for size in np.unique(sizes)]
