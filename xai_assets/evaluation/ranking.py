"""What a map says by its order alone, without a threshold. All functions are exact where values tie.

Maps tie often: a LIME map has one value a superpixel, a class activation map is 0 over wide areas. A rule
that breaks ties by position would give the upper left corner an advantage. Every function raises EvaluationError for
two arrays of different shapes; that they lie in one frame is for `cases.same_place` to see.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from xai_assets.evaluation.cases import check_shape
from xai_assets.evaluation.errors import EvaluationError


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    """Spearman's rank correlation of two maps of one shape, in -1..1; None when either is constant or not finite.

    Tied values share their mean rank (the definition of `scipy.stats.spearmanr`).
    """
    check_shape(a, b)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    ranks_a, ranks_b = rankdata(a.ravel()), rankdata(b.ravel())
    centred_a, centred_b = ranks_a - ranks_a.mean(), ranks_b - ranks_b.mean()
    norm = np.sqrt((centred_a @ centred_a) * (centred_b @ centred_b))
    return float(np.clip(centred_a @ centred_b / norm, -1, 1)) if norm else None


class RankedMaps:
    """Maps put in ranks once, for their rank correlations with many others.

    Args:
        maps: h w each, of one shape, finite and not constant.

    Raises:
        EvaluationError: others.
    """

    def __init__(self, maps: Sequence[np.ndarray]) -> None:
        check_shape(*maps)
        ranks = [_unit_ranks(values) if np.isfinite(values).all() else None for values in maps]
        if any(found is None for found in ranks):
            raise EvaluationError(
                "maps to correlate with", "are constant or not finite in part", "Leave those out."
            )
        self._shape = maps[0].shape
        self._ranks = np.stack([found for found in ranks if found is not None])  # m (h w)

    def correlations(self, values: np.ndarray) -> np.ndarray | None:
        """The rank correlation of a map (h w) with each of them, m float64; None when it is constant or not finite."""
        if values.shape != self._shape:
            check_shape(values, np.empty(self._shape))
        ranks = _unit_ranks(values) if np.isfinite(values).all() else None
        return None if ranks is None else self._ranks @ ranks


def _unit_ranks(values: np.ndarray) -> np.ndarray | None:
    """Ranks about their mean, of length 1: (h w) float64; None when all tie."""
    ranks = rankdata(values.ravel())
    ranks -= ranks.mean()
    norm = float(np.sqrt(ranks @ ranks))
    return ranks / norm if norm else None


def average_precision(values: np.ndarray, truth: np.ndarray) -> float | None:
    """Pixel average precision of a map (h w) for a true mask (h w bool), in 0..1.

    None when the truth is empty. The sum over distinct values, from the highest, of the gain in recall times
    the precision there (the definition of `sklearn.metrics.average_precision_score`). Chance, for a random
    or a constant map, is the truth's density.
    """
    check_shape(values, truth)
    positives = np.count_nonzero(truth)
    if not positives:
        return None
    order = np.argsort(-values, axis=None, kind="stable")
    ordered = values.ravel()[order]
    hits = np.cumsum(truth.ravel()[order])
    # The last place of each run of equal values: all of a run enter at once.
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    precision = hits[ends] / (ends + 1)
    recall = hits[ends] / positives
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def matched_iou(values: np.ndarray, truth: np.ndarray) -> float | None:
    """IoU with the truth of the map's highest pixels, as many as the truth has; None when the truth is empty.

    Free of a threshold, and two methods' masks are of one area. Where values tie at the cut, each of the
    tied pixels counts with the share of them that is needed: the expected intersection over every way to
    break the tie.
    """
    check_shape(values, truth)
    area = np.count_nonzero(truth)
    if not area:
        return None
    cut = np.partition(values, values.size - area, axis=None)[values.size - area]
    above, tied = values > cut, values == cut
    share = (area - np.count_nonzero(above)) / np.count_nonzero(tied)
    common = np.count_nonzero(above & truth) + share * np.count_nonzero(tied & truth)
    return float(common / (2 * area - common))


def pointing_game(values: np.ndarray, truth: np.ndarray) -> float | None:
    """Whether the map's highest pixel lies in the truth, 0 or 1; None when the truth is empty.

    Zhang et al. 2016, without their 15-pixel tolerance. Where several pixels are highest, the share of them
    that lies in the truth.
    """
    check_shape(values, truth)
    if not truth.any():
        return None
    return float(truth[values == values.max()].mean())


def energy_in_mask(values: np.ndarray, truth: np.ndarray) -> float | None:
    """The share of the map's positive values that lies in the truth, in 0..1; None when either has none.

    The energy-based pointing game (Wang et al. 2020, ScoreCAM), on the raw map: no per-image scaling, for a
    shift would change it. Chance is the truth's density.
    """
    check_shape(values, truth)
    positive = np.maximum(values.astype(np.float64), 0)
    total = positive.sum()
    return float(positive[truth].sum() / total) if total and truth.any() else None
