"""One part of an object: its name, its polygon and which of the object's finishes covers it."""

from typing import NamedTuple

import numpy as np

MAIN, SECOND, ACCENT, DARK, GLASS, WHITE, PLANT = (
    "main",
    "second",
    "accent",
    "dark",
    "glass",
    "white",
    "plant",
)
ROLES = (MAIN, SECOND, ACCENT, DARK, GLASS, WHITE, PLANT)
UNLINED = frozenset({"eye", "antenna", "headlight"})
"""Parts too small for an outline."""


class Part(NamedTuple):
    """A part's name, its polygon (float64, points by 2) and its role among the finishes."""

    name: str
    polygon: np.ndarray
    role: str
