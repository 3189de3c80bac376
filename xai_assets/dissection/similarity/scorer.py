"""What every similarity function is to the loop over blocks of concepts."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from torch import Tensor


class Scorer(Protocol):
    """Scores the units of some layers, and draws from their null, for any block of concepts.

    Attributes:
        widths: block widths that all give the same numbers, the best first.
        ranked: for each layer, bool (u,): units whose activations differ where the function looks. The others have
            no ranking, and their scores say nothing.
    """

    widths: tuple[int, ...]
    ranked: list[np.ndarray]

    def bytes_at(self, width: int) -> int:
        """Working memory for blocks of that width."""

    def score(self, cosines: Tensor) -> Iterator[tuple[Tensor, Tensor | None]]:
        """For each layer: scores float32 (u, b), and the null's largest in this block, (r,) or (r, u).

        Args:
            cosines: float32 (n, b), not to be changed.
        """


GROUPED_LISTS = 2**18
"""Units of a layer times permutations of whole groups: 1,000 for up to 262 units, 128 for 2,048."""

FEWEST_ORDERS = 99
"""So many in any case."""


def affordable(orders: np.ndarray, units: int, lists: int = GROUPED_LISTS) -> np.ndarray:
    """The first of the permutations (r, n), as many as a layer's units can each be scored under."""
    return orders[: max(FEWEST_ORDERS, lists // max(units, 1))]


def differing(values: np.ndarray) -> np.ndarray:
    """bool (u,): which columns of (n, u) hold more than one value."""
    return np.asarray(np.ptp(values, axis=0) > 0)
