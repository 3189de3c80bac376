"""ROAD (Rong et al. 2022): pixels are removed by noisy linear imputation, so that their outline says little.

A removed pixel becomes the weighted mean of its eight neighbours, of which some are removed as well: a sparse system
of linear equations, one unknown a removed pixel, as in the paper (weights 1/6 beside and 1/12 across, neighbours
outside the image left out). It is symmetric and positive definite, and solved by conjugate gradients on the grid
itself, from a start on ever coarser grids: about a tenth of the time of a sparse factorisation (128 x 128
pixels, half of them gone).
"""

import zlib
from collections.abc import Sequence

import cv2
import numpy as np

from xai_assets.evaluation.cases import check_shape
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.ordering import removed
from xai_assets.evaluation.perturbation_curves import ORDERS, Curve, Score

BASELINE = "linear"
"""What the curves' baseline is called."""

NOISE = 0.01
"""Standard deviation of the noise on imputed pixels, in units of the normalised input: that of the authors' code."""

TOLERANCE = 1e-5
"""The root mean square misfit of an image's equations where the solver stops, in the same units. Of 128 x 128 pixels
with 70 % gone in blobs none was off by more than the noise; with 90 % gone, the middle of the largest by twice that."""

_MOST_ROUNDS = 2000
_ACROSS = np.array([1, 2, 1], dtype=np.float32)
_DOWN = _ACROSS / 12
# (1 2 1) both ways, over 12: 1/12 across, 1/6 beside, and 1/3 in the middle, which drops out of the equations.


def impute(image: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """The image with removed pixels (h w bool) as the weighted means of their neighbours, without noise.

    Args:
        image: h w 3 float32, normalised.
        gone: h w bool.

    Returns:
        h w 3 float32; what is not removed is as it was.

    Raises:
        EvaluationError: different shapes, nothing left to impute from, or values that are not finite.
    """
    check_shape(image[..., 0], gone)
    if gone.all() or not np.isfinite(image).all():
        raise EvaluationError(
            "linear imputation",
            "has no pixel left to start from" if gone.all() else "was given values that are not finite",
            "Remove less than all pixels of an image that is finite.",
        )
    if not gone.any():
        return image.copy()
    return _solve(image, gone)


def road_curves(
    score: Score,
    image: np.ndarray,
    rank: np.ndarray,
    *,
    fractions: Sequence[float],
    seed: int,
    image_id: str = "",
) -> list[Curve]:
    """The MoRF and LeRF curves of one map under noisy linear imputation.

    The paper follows a data set's accuracy as pixels are removed; this is one image's class score. The cut is at an
    exact number of pixels, with ties broken by `rank`, where the authors' code cuts at a percentile of the map and
    removes more or fewer where values tie.

    Args:
        score: the model and the class.
        image: h w 3 float32, normalised.
        rank: h w int64, from `relevance_rank`.
        fractions: of the pixels removed, rising, each above 0 and below 1.
        seed: of the noise: one draw an image, the same for all maps and fractions.
        image_id: the image's name, which the draw depends on.

    Raises:
        EvaluationError: fractions that do not rise or do not lie between 0 and 1.
    """
    given = np.asarray(fractions, dtype=np.float64)
    if len(given) < 2 or (np.diff(given) <= 0).any() or given[0] <= 0 or given[-1] >= 1:
        raise EvaluationError(
            "the fractions of ROAD",
            f"are {list(fractions)}",
            "Give at least two, rising, above 0 and below 1.",
        )
    generator = np.random.default_rng([seed, zlib.crc32(f"noise of {image_id}".encode())])
    noise = NOISE * generator.standard_normal(image.shape, dtype=np.float32)
    pictures = []
    for order in ORDERS:
        for fraction in given:
            gone = removed(rank, fraction, most_relevant_first=order == "morf")
            pictures.append(impute(image, gone) + noise * gone[..., None])
    scores = score(np.stack(pictures)).reshape(len(ORDERS), len(given))
    return [Curve(BASELINE, order, given, found) for order, found in zip(ORDERS, scores, strict=True)]


def road_score(curves: Sequence[Curve]) -> float:
    """The mean over the fractions of the LeRF score less the MoRF score; raises as `gain` for other curves.

    Twice grad-cam's `ROADCombined`, which halves the difference. The expectation of a random order is 0.
    """
    by_order = {curve.order: curve.scores for curve in curves}
    if len(curves) != 2 or set(by_order) != set(ORDERS):
        raise EvaluationError(
            "ROAD", f"needs a MoRF and a LeRF curve, and got {len(curves)} curves", "Give both."
        )
    return float(np.mean(by_order["lerf"] - by_order["morf"]))


def _solve(image: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """`impute` for arguments that are known to be right, some pixels gone and some not."""
    free = np.repeat(gone[..., None], 3, axis=2).astype(np.float32)
    # An equation: the weights inside the image, times the pixel, less the weighted sum of its neighbours, is 0.
    weights = _box(np.ones_like(image))  # with the middle's, which `_box` has too
    found = np.where(gone[..., None], _guess(image, 1 - free), image).astype(np.float32)
    residual = _box(found)
    residual -= weights * found
    residual *= free
    direction = residual.copy()
    squared = float(np.vdot(residual, residual))
    enough = TOLERANCE**2 * np.count_nonzero(free)
    for _ in range(_MOST_ROUNDS):
        if squared <= enough:
            return found
        # In place and without an abs or max a round: there are some eighty rounds an image.
        image_of = weights * direction
        image_of -= _box(direction)
        image_of *= free
        step = np.float32(squared / float(np.vdot(direction, image_of)))
        found += step * direction
        image_of *= step
        residual -= image_of
        before, squared = squared, float(np.vdot(residual, residual))
        direction *= np.float32(squared / before)
        direction += residual
    raise EvaluationError(
        "linear imputation",
        f"did not settle in {_MOST_ROUNDS} rounds",
        "Look at the image's values: normalised ones lie within a few units of 0.",
    )


def _box(values: np.ndarray) -> np.ndarray:
    """The weighted sum over each pixel's neighbours inside the image, and 1/3 of itself: h w 3 -> h w 3."""
    return np.asarray(cv2.sepFilter2D(values, -1, _ACROSS, _DOWN, borderType=cv2.BORDER_CONSTANT))


def _guess(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """A first guess: the same question asked of an image of half the size, known pixels (1, else 0) averaged.

    What is far from every known pixel takes many rounds to settle on the grid of pixels, and few on a coarse one.
    """
    height, width = known.shape[:2]
    half = (max(1, width // 2), max(1, height // 2))
    weight = cv2.resize(known, half, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(image * known, half, interpolation=cv2.INTER_AREA) / np.maximum(weight, 1e-6)
    gone = weight[..., 0] == 0
    if gone.any():
        coarse = _solve(coarse, gone)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR))
