"""Do a layer's units score higher than untrained ones? A null of networks, in which a network is one observation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xai_assets.dissection.significance import FALSE_DISCOVERY_RATE, false_discovery_q

LEVEL = 0.05
"""A layer counts where its network's rank among the shuffled ones is rarer than this."""

FEWEST_NETWORKS = 20
"""With fewer shuffled networks no layer can be decided: p is at least 1 / (k + 1)."""


@dataclass(frozen=True)
class AgainstShuffled:
    """A layer held against the same layer of k networks with shuffled weights.

    Attributes:
        p: float64 (u,), share of the shuffled networks' active units that score as high.
        q: float64 (u,), the smallest false-discovery rate at which a unit counts; NaN where it is dead.
        found: units with q below FALSE_DISCOVERY_RATE.
        found_shuffled: int (k,), the same of each shuffled network, held against all the other networks.
        p_network: the share of the k + 1 networks that have as many such units; 1 where k is 0.
        beyond: bool (u,), what counts: q below the rate in a layer with p_network below LEVEL.
    """

    p: np.ndarray
    q: np.ndarray
    found: int
    found_shuffled: np.ndarray
    p_network: float
    beyond: np.ndarray


def against_shuffled(
    observed: np.ndarray, living: np.ndarray, networks: Sequence[np.ndarray]
) -> AgainstShuffled:
    """Which units of a layer score higher than units of the same network with shuffled weights.

    Units of one network are not independent: their filters are made of the same shuffled layers before, and some
    shuffled networks score high in all units. So it is decided in two steps.

    1. The layer. Let T be the number of units of a network that count (Benjamini-Hochberg at
       FALSE_DISCOVERY_RATE) against the pooled units of all the OTHER networks, observed one and shuffled ones alike. T
       is one and the same function of a network and the set of the others. If training had nothing to do with the
       scores, the k + 1 networks would be exchangeable, so that the rank of the observed network's T among the k + 1 is
       uniform (ties count against it): P(p_network <= a) <= a, exactly, however units depend on each other. With
       k < 20 no p_network is below 0.05, and nothing is decided.
    2. The units. In a layer that counts, a unit's p is its rank among the pooled units of the k shuffled networks, valid
       for a unit of a network drawn like them, and q is Benjamini-Hochberg's over the layer's active units, whose
       dependence within a network is positive.

    So a network with shuffled weights, given as if it were trained, has units beyond chance in at most LEVEL of its
    layers; and in a trained one the share of such units that a shuffled network has as well is about the rate.

    Args:
        observed: (u,), scores; those of dead units are not looked at.
        living: bool (u,).
        networks: of each shuffled network, the scores of its active units (m,).
    """
    living = np.asarray(living, bool)
    scores = [np.asarray(observed, np.float64)[living], *(np.asarray(one, np.float64) for one in networks)]
    everyone = np.sort(np.concatenate(scores))
    p_values = [_among_others(own, everyone) for own in scores]
    counts = [int((_q(p) < FALSE_DISCOVERY_RATE).sum()) for p in p_values]
    p = np.ones(len(living))
    p[living] = p_values[0]
    q = np.full(len(living), np.nan)
    q[living] = _q(p_values[0])
    found, shuffled = counts[0], np.array(counts[1:], int)
    p_network = (1 + int((shuffled >= found).sum())) / (1 + len(shuffled))
    beyond = living & (np.nan_to_num(q, nan=1.0) < FALSE_DISCOVERY_RATE) & (p_network < LEVEL)
    return AgainstShuffled(p, q, found, shuffled, p_network, beyond)


def rank_among(observed: float, networks: Sequence[float]) -> float:
    """The share of k + 1 networks whose number is at least the observed one's, itself counted in: 1 / (k + 1) to 1."""
    return (1 + sum(one >= observed for one in networks)) / (1 + len(networks))


def _among_others(own: np.ndarray, everyone: np.ndarray) -> np.ndarray:
    """(1 + others that score as high) / (1 + others), for each of a network's units."""
    mine = np.sort(own)
    as_high = len(everyone) - np.searchsorted(everyone, own, side="left")
    own_as_high = len(mine) - np.searchsorted(mine, own, side="left")
    return np.asarray((1 + as_high - own_as_high) / (1 + len(everyone) - len(mine)))


def _q(p: np.ndarray) -> np.ndarray:
    return false_discovery_q(p, np.ones(len(p), bool))
