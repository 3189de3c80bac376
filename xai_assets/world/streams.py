"""Random numbers and transcendental functions that give the same bits on every machine.

NumPy promises the raw bits of a bit generator for ever, but not what `Generator` makes of them; and sine,
power and logarithm may differ in the last place between processors and C libraries. So uniforms are made from
raw bits here, and every such function's result is rounded to a grid of 2^-20, which a last-place difference
cannot cross but with a chance of about 2^-30.
"""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
_BLOCK = 128
_GRID = 1 << 20


def snap(value: float) -> float:
    """Round to the grid of 2^-20."""
    return math.floor(value * _GRID + 0.5) / _GRID


def snap_array(values: np.ndarray) -> np.ndarray:
    """Round an array of any shape to the grid of 2^-20; float64."""
    return np.floor(np.asarray(values, np.float64) * _GRID + 0.5) / _GRID


def cos(angle: float) -> float:
    """Cosine of an angle in radians, on the grid."""
    return snap(math.cos(angle))


def sin(angle: float) -> float:
    """Sine of an angle in radians, on the grid."""
    return snap(math.sin(angle))


def power(base: float, exponent: float) -> float:
    """`base ** exponent`, on the grid."""
    return snap(math.pow(base, exponent))


class Stream:
    """Uniform random numbers from PCG64's raw bits, seeded by a tuple of integers."""

    __slots__ = ("_bits", "_buffer", "_next")

    def __init__(self, *seed: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(seed))
        self._buffer: list[int] = []
        self._next = 0

    def _raw(self) -> int:
        if self._next == len(self._buffer):
            self._buffer = self._bits.random_raw(_BLOCK).tolist()
            self._next = 0
        self._next += 1
        return self._buffer[self._next - 1]

    def __call__(self, low: float = 0.0, high: float = 1.0) -> float:
        """A uniform number in [low, high), with 53 random bits."""
        return low + (high - low) * ((self._raw() >> 11) * 2.0**-53)

    def uniforms(self, low: float, high: float, count: int) -> np.ndarray:
        """`count` uniform numbers in [low, high); float64."""
        return np.array([self(low, high) for _ in range(count)])

    def array(self, *shape: int) -> np.ndarray:
        """Uniform numbers in [0, 1), float64 of the shape, drawn from fresh words."""
        words = self._bits.random_raw(math.prod(shape))
        return ((words >> np.uint64(11)) * 2.0**-53).reshape(shape)

    def integer(self, count: int) -> int:
        """A whole number in 0..count-1."""
        return min(int(self() * count), count - 1)

    def choice(self, items: Sequence[Item]) -> Item:
        """One of the items, each as likely as its share of the sequence."""
        return items[self.integer(len(items))]

    def seed(self) -> int:
        """A seed for another stream, 32 bits."""
        return self._raw() >> 32


def random_bytes(count: int, *seed: int) -> np.ndarray:
    """`count` uniform bytes, uint8: those of the raw words, from the lowest up on every machine."""
    words = np.random.PCG64(np.random.SeedSequence(seed)).random_raw(-(-count // 8))
    shifts = np.arange(0, 64, 8, dtype=np.uint64)
    return ((words[:, None] >> shifts) & np.uint64(255)).astype(np.uint8).ravel()[:count]
