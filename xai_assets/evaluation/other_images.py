"""Chance from the data: what a pair gives when its two sides are of different images.

`matrix[i, j]` is a measure of one side of image i and the other side of image j: the masks of two methods, or a map and
a true mask. Its diagonal is what was observed. All else is what the same sides give where they cannot agree on the image:
maps are smooth and lie in the middle, and so do those of other images. An image is the unit; one with several explained
classes has one row and one column (`fold`).

The test pairs the two sides anew. Where the one side knows nothing of the other's image, every pairing is as likely as
the observed one, so that the test is exact at every n. Flipping the signs of each image's excess over the others is not:
the excesses share the images that they are taken over.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import permutations

import numpy as np
from scipy import stats

from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.intervals import UNBOUNDED, Bounds, Interval, mean_interval

MOST_TOGETHER = 64
"""Images that are paired with each other; more are divided into blocks, so that the work grows with their number."""

EXACT_UP_TO = 5_040
"""Pairings up to which every one is tried, those of seven images; for more they are drawn."""

DRAWS = 9_999
"""Pairings that are drawn; with the observed one 10 000, so that the smallest p is 0.0001."""

PSEUDOVALUES = "jackknife t over images and the others"

_CLOSE = 1e-9
"""Sums that differ by less than this share of their size are equal: they are of the same numbers in another order."""


@dataclass(frozen=True)
class AgainstOthers:
    """What was observed, less what other images give.

    Attributes:
        mean: of the diagonal; None without images.
        chance: mean over the images of what each gives with the others of its block, as the one and as the other side:
            the mean over all derangements that are cyclic shifts. None for fewer than two images.
        difference: mean less chance, with its interval, n, and images that had no other to be paired with.
        p: two-sided, of the exact test; None for fewer than two images.
    """

    mean: float | None
    chance: float | None
    difference: Interval
    p: float | None


def against_others(
    blocks: Sequence[np.ndarray], *, seed: int = 0, bounds: Bounds = UNBOUNDED
) -> AgainstOthers:
    """Compare what was observed with what other images give.

    The interval is over pseudo-values (Arvesen 1969, doi:10.1214/aoms/1177697287): an image moves the mean by its own
    value, and the level of chance by what it gives with all others.

    Args:
        blocks: one matrix (m m) float64 a block of images, see `blocks_of`; a block of one has no other.
        seed: of drawn pairings.
        bounds: smallest and largest possible difference.

    Raises:
        EvaluationError: a matrix that is not square, or has values that are not finite.
    """
    paired = [_checked(block) for block in blocks if len(block) > 1]
    alone = sum(len(block) == 1 for block in blocks)
    if not paired:
        values = [float(_checked(block)[0, 0]) for block in blocks if len(block)]
        mean = float(np.mean(values)) if values else None
        return AgainstOthers(mean, None, mean_interval([], bounds=bounds), None)
    return AgainstOthers(
        float(np.concatenate([np.diag(block) for block in paired]).mean()),
        float(np.concatenate([np.full(len(block), _of_others(block)) for block in paired]).mean()),
        replace(
            _interval(np.concatenate([_pseudovalues(block) for block in paired]), bounds), excluded=alone
        ),
        repairing_p(paired, seed=seed),
    )


def _interval(pseudo: np.ndarray, bounds: Bounds) -> Interval:
    """Student's t interval of the jackknife; none where `mean_interval` has none."""
    found = mean_interval(pseudo, bounds=bounds)
    if found.low is None or found.mean is None:
        return found
    n = len(pseudo)
    reach = float(stats.t.ppf((1 + found.level) / 2, n - 1)) * float(pseudo.std(ddof=1)) / math.sqrt(n)
    low, high = max(found.mean - reach, bounds[0]), min(found.mean + reach, bounds[1])
    return replace(found, low=low, high=high, method=PSEUDOVALUES)


def repairing_p(blocks: Sequence[np.ndarray], *, seed: int = 0) -> float | None:
    """Two-sided p of the observed pairing among all pairings within blocks (Fisher 1935; Mantel 1967).

    The statistic is the sum of matrix[i, pairing(i)]; as extreme as observed is what lies as far from the mean of all
    pairings. Exact up to EXACT_UP_TO pairings: n images cannot give less than 1 / n!. None for fewer than two images.

    Args:
        blocks: one matrix (m m) float64 a block.
        seed: of the pairings where there are too many to try all.
    """
    blocks = [_checked(block) for block in blocks if len(block) > 1]
    if not blocks:
        return None
    centred = [block - block.mean() for block in blocks]  # the mean over pairings is then 0
    observed = sum(float(np.trace(block)) for block in centred)
    scale = sum(float(np.abs(block).max()) * len(block) for block in centred)
    reached = abs(observed) - _CLOSE * scale
    if math.prod(math.factorial(len(block)) for block in blocks) <= EXACT_UP_TO:
        sums, extra = _every_sum(centred), 0
    else:
        sums, extra = (
            _drawn_sums(centred, seed),
            1,
        )  # the observed pairing is one of those that could have been
    return float((np.count_nonzero(np.abs(sums) >= reached) + extra) / (len(sums) + extra))


def blocks_of(groups: Sequence[object], *, seed: int = 0) -> list[np.ndarray]:
    """Images in blocks within which they are paired: at most MOST_TOGETHER, none below half of that, drawn by the seed.

    Args:
        groups: of each image, what it shares with those it can be compared with, such as the shape of its maps.
        seed: of the division.

    Returns:
        Places of the images, each once, ascending within a block.
    """
    found: dict[object, list[int]] = {}
    for place, group in enumerate(groups):
        found.setdefault(group, []).append(place)
    blocks: list[np.ndarray] = []
    for number, places in enumerate(found.values()):
        count = -(-len(places) // MOST_TOGETHER)
        order = np.array(places)
        if count > 1:
            order = np.random.default_rng([seed, number]).permutation(order)
        blocks += [np.sort(part) for part in np.array_split(order, count)]
    return blocks


def fold(values: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """A measure of every case with every case as one of every image with every image.

    The k-th class of the one image goes with the k-th of the other, in the order in which they were explained; where
    one has fewer, it begins again. So an image's own value is the mean over its classes, and that of two images is
    made by the same rule.

    Args:
        values: c c float64, cases of an image side by side.
        classes: how many cases each image has, at least 1 each.

    Returns:
        n n float64.
    """
    counts = np.array(classes, dtype=int)
    if counts.sum() != len(values) or (counts < 1).any():
        raise EvaluationError(
            "cases of images", f"are {len(values)}, and images say {counts.sum()}", "Align the two."
        )
    if not len(counts):
        return np.zeros((0, 0))
    first = np.cumsum(counts) - counts
    longer = np.maximum.outer(counts, counts)
    total = np.zeros(longer.shape)
    for k in range(int(counts.max())):
        at = first + k % counts
        total += np.where(k < longer, values[np.ix_(at, at)], 0.0)
    return total / longer


def _pseudovalues(block: np.ndarray) -> np.ndarray:
    """n times the difference of all images, less n - 1 times that without each: float64 (n,), whose mean it is."""
    n, others = len(block), _of_others(block)
    own = np.diag(block)
    if n == 2:
        return own - others  # without one of two images there is no other
    rows = (block.sum(axis=1) - own) / (n - 1)
    columns = (block.sum(axis=0) - own) / (n - 1)
    return own - ((n - 1) * (rows + columns) - n * others) / (n - 2)


def _of_others(block: np.ndarray) -> float:
    n = len(block)
    return float((block.sum() - np.trace(block)) / (n * (n - 1)))


def _every_sum(blocks: Sequence[np.ndarray]) -> np.ndarray:
    sums = np.zeros(1)
    for block in blocks:
        n = len(block)
        of_block = block[np.arange(n), _every_pairing(n)].sum(axis=1)
        sums = np.add.outer(sums, of_block).ravel()
    return sums


def _drawn_sums(blocks: Sequence[np.ndarray], seed: int) -> np.ndarray:
    sums = np.zeros(DRAWS)
    for number, block in enumerate(blocks):
        n = len(block)
        sums += block[np.arange(n), _drawn_pairings(n, seed, number)].sum(axis=1)
    return sums


@cache
def _every_pairing(n: int) -> np.ndarray:
    return np.array(list(permutations(range(n))), dtype=np.intp)


@lru_cache(maxsize=64)
def _drawn_pairings(n: int, seed: int, number: int) -> np.ndarray:
    """DRAWS pairings of a block, int8 (draws n): the same for all measures, which are of the same images."""
    generator = np.random.default_rng([seed, number, n])
    return generator.permuted(np.tile(np.arange(n, dtype=np.int8), (DRAWS, 1)), axis=1)


def _checked(block: np.ndarray) -> np.ndarray:
    block = np.asarray(block, np.float64)
    if block.ndim != 2 or block.shape[0] != block.shape[1] or not np.isfinite(block).all():
        raise EvaluationError(
            "a matrix of images with images",
            f"is of shape {block.shape}, or has values that are not finite",
            "Give one row and column an image, and leave out those that were not measured.",
        )
    return block


def used_blocks(
    cases: Sequence[np.ndarray], images: Sequence[Sequence[int]], used: Sequence[np.ndarray]
) -> Iterator[np.ndarray]:
    """The matrices of images of several blocks, over the cases that could be measured.

    Args:
        cases: of each block, c c float64.
        images: of each block, the image of each case, ascending.
        used: of each block, c bool: whether both sides of the case say something.
    """
    for values, of, kept in zip(cases, images, used, strict=True):
        counts = np.unique(np.asarray(of)[kept], return_counts=True)[1]
        yield fold(values[np.ix_(kept, kept)], counts.tolist())
