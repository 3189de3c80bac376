"""Agreement with other images, and localisation on them: how often they are "beyond chance" where nothing was known.

Rows of maps that know nothing of each other's image: smooth blobs, anywhere and about the middle, of several widths; and
of maps that share a place with the other side, for the power. `of_maps` does the same with the maps of a finished study,
the one method's paired with the other's of another image.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from xai_assets.evaluation import across_images as across
from xai_assets.evaluation.decision import Answer, decide
from xai_assets.evaluation.other_images import against_others

IMAGES = (2, 3, 5, 6, 8, 10, 12, 30)
SIDE = 32
WIDTHS = (1.5, 3.0, 6.0)
"""Standard deviation of the smoothing, pixels of 32: narrow, as a class activation map, and as broad as the middle."""

CENTRE = 3.0
"""How strongly a biased map is drawn to the middle, in standard deviations of its noise."""

SHARED = 0.5
"""Share of the variance that two sides have in common where they know the image, for the power."""

Drawn = tuple[list[np.ndarray], list[np.ndarray]]


def rows(trials: int) -> list[dict[str, Any]]:
    """One row a family of maps and number of images: the share of trials in which the answer is yes or no.

    Args:
        trials: studies drawn for each number.
    """
    found = []
    for family, draw in _families().items():
        for n in IMAGES:
            generator = np.random.default_rng([n, len(family)])
            none = [_answers(*draw(generator, n, 0.0)) for _ in range(trials)]
            some = [_answers(*draw(generator, n, SHARED)) for _ in range(trials)]
            for measure in none[0]:
                decided = float(np.mean([answers[measure] is not Answer.CANNOT_TELL for answers in none]))
                found.append(
                    {
                        "family": f"{measure}, {family}",
                        "n": n,
                        "decided": decided,
                        "se": float(np.sqrt(max(decided * (1 - decided), 1 / trials) / trials)),
                        "power": float(np.mean([answers[measure] is Answer.YES for answers in some])),
                        "effect": SHARED,
                        "note": "masks of different images; power: maps that share half of their variance",
                    }
                )
    return found


def of_maps(
    values: Mapping[str, Sequence[np.ndarray]],
    masks: Mapping[str, Sequence[np.ndarray]],
    *,
    n: int,
    trials: int,
    seed: int = 0,
) -> Iterator[dict[str, Any]]:
    """The same of real maps: each trial takes n images, and of the second method n that are drawn anew.

    Args:
        values: by method, one map (h w) an image; images in the same order.
        masks: by method, their masks (h w bool).
        n: images of a trial; at most half of those given, which makes the two sides of different images.
        trials: how many.
        seed: of the drawing.
    """
    generator = np.random.default_rng(seed)
    names = list(values)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    for a, b in pairs:
        of_a = [across.OrderedMap.of(*one) for one in zip(values[a], masks[a], strict=True)]
        of_b = [across.OrderedMap.of(*one) for one in zip(values[b], masks[b], strict=True)]
        for measure, matrix in _agreement(of_a, of_b).items():
            wrong = right = 0
            for _ in range(trials):
                drawn = generator.permutation(len(of_a))[: 2 * n]
                wrong += _decided(matrix[np.ix_(drawn[:n], drawn[n:])]) is not Answer.CANNOT_TELL
                right += _decided(matrix[np.ix_(drawn[:n], drawn[:n])]) is Answer.YES
            share = wrong / trials
            yield {
                "family": f"{measure}, {a} and {b}",
                "n": n,
                "decided": share,
                "se": float(np.sqrt(max(share * (1 - share), 1 / trials) / trials)),
                "power": right / trials,
                "effect": float(np.diag(matrix).mean() - _off(matrix)),
                "note": "real maps; decided: of different images; power: of the same",
            }


def _families() -> dict[str, Callable[[np.random.Generator, int, float], Drawn]]:
    return {
        f"blobs of width {width:g} px {where}": (
            lambda generator, n, shared, width=width, centre=centre: _drawn(
                generator, n, shared, width, centre
            )
        )
        for width in WIDTHS
        for where, centre in (("anywhere", 0.0), ("about the middle", CENTRE))
    }


def _drawn(generator: np.random.Generator, n: int, shared: float, width: float, centre: float) -> Drawn:
    """Two sides of n maps; those of one image have `shared` of their variance in common."""
    axis = np.arange(SIDE) - (SIDE - 1) / 2
    middle = centre * np.exp(-(axis[:, None] ** 2 + axis**2) / (2 * (SIDE / 4) ** 2))
    noise = generator.standard_normal((3, n, SIDE, SIDE))
    noise = np.stack([gaussian_filter(part, (0, width, width), mode="reflect") for part in noise])
    noise /= noise.std(axis=(-2, -1), keepdims=True)
    common, a, b = noise
    own = np.sqrt(1 - shared)
    sides = [middle + np.sqrt(shared) * common + own * of for of in (a, b)]
    return list(sides[0].astype(np.float32)), list(sides[1].astype(np.float32))


def _answers(a: list[np.ndarray], b: list[np.ndarray]) -> dict[str, Answer]:
    masks_a, masks_b = ([one >= np.quantile(one, 0.85) for one in side] for side in (a, b))
    of_a = [across.OrderedMap.of(*one) for one in zip(a, masks_a, strict=True)]
    of_b = [across.OrderedMap.of(*one) for one in zip(b, masks_b, strict=True)]
    matrices = _agreement(of_a, of_b) | {
        "pixel average precision": across.average_precisions(of_a, [one.ravel() for one in masks_b]),
        "pointing game": across.pointing(of_a, masks_b),
        "energy": across.energies([one - one.min() for one in a], masks_b),
    }
    return {measure: _decided(matrix) for measure, matrix in matrices.items()}


def _agreement(a: list[across.OrderedMap], b: list[across.OrderedMap]) -> dict[str, np.ndarray]:
    return {
        "IoU": across.iou_and_dice([one.mask for one in a], [one.mask for one in b])[0],
        "matched IoU": across.matched_ious(a, b),
        "rank correlation": across.rank_correlations(a, b),
    }


def _decided(matrix: np.ndarray) -> Answer:
    found = against_others([matrix])
    return decide([found.difference.mean], [found.p], repaired=True)[0].answer


def _off(matrix: np.ndarray) -> float:
    return float((matrix.sum() - np.trace(matrix)) / (matrix.size - len(matrix)))
