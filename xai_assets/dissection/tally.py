"""Pixel counts of a layer's units and a probe's concepts, and what follows from them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Tally:
    """Pixel counts of one layer over a probe set; tallies over parts of a probe set add up.

    Attributes:
        concepts: the probe's concepts; row j is column j below.
        both: int (u, c): pixels where the unit is on and the concept is present.
        unit: int (u, k): pixels where the unit is on, in images that show category k of `categories` at all.
        concept: int64 (c,): pixels that carry the concept.
        pixels: int64 (k,): pixels of the images that show category k.
        categories: the categories.
    """

    concepts: pd.DataFrame
    both: np.ndarray
    unit: np.ndarray
    concept: np.ndarray
    pixels: np.ndarray
    categories: tuple[str, ...]

    @property
    def _column(self) -> np.ndarray:
        return np.array([self.categories.index(name) for name in self.concepts["category"]], dtype=int)  # c

    @property
    def iou(self) -> np.ndarray:
        """float64 (u, c): intersection over union; 0 where both are empty."""
        union = self.unit[:, self._column] + self.concept - self.both  # u c
        return self.both / np.maximum(union, 1)

    @property
    def coverage(self) -> np.ndarray:
        """float64 (c,): share of the pixels counted for the concept's category that carry it."""
        return self.concept / np.maximum(self.pixels[self._column], 1)

    @property
    def attainable_iou(self) -> np.ndarray:
        """float64 (u, c): the largest IoU that a unit on for so many pixels can have with a concept on so many.

        One region within the other: min / max of the two areas. At the 0.5 % level a concept that covers more than
        12.5 % of the pixels stays below 0.04 however well a unit fits it. The bound holds exactly, since it takes
        the unit's own area after upsampling.
        """
        area = self.unit[:, self._column]  # u c
        return np.minimum(area, self.concept) / np.maximum(np.maximum(area, self.concept), 1)
