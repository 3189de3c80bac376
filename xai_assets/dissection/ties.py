"""The order of images that drive a unit equally: random, the same on every machine, and no file order.

Units after a ReLU or a maximum are 0 on many images, so that a list of a hundred top images is filled up with images
that do not drive the unit at all. In the order of the files these are the first classes of the probe set, and a unit
that fires on three images would get the name of what the first folder shows.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def image_keys(ids: Sequence[str]) -> np.ndarray:
    """A number for each image from the hash of its name: uint64 (n,). It does not depend on where the image stands."""
    digests = (hashlib.blake2b(name.encode(), digest_size=8).digest() for name in ids)
    return np.array([int.from_bytes(digest, "little") for digest in digests], np.uint64)


def tie_order(keys: np.ndarray, unit: int) -> np.ndarray:
    """Where each image comes among images that drive the unit equally: uint64 (n,), smallest first.

    Every unit has an order of its own, or else all units that are filled up would be filled up with the same images,
    and be right or wrong by chance together.

    Args:
        keys: uint64 (n,), of `image_keys`.
        unit: its number in the layer.
    """
    return _mixed(keys ^ _mixed(np.full(1, unit, np.uint64)))


def _mixed(values: np.ndarray) -> np.ndarray:
    """SplitMix64 (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195): a bijection whose values look random."""
    with np.errstate(over="ignore"):
        found = values + _STEP
        found = (found ^ (found >> np.uint64(30))) * _FIRST
        found = (found ^ (found >> np.uint64(27))) * _SECOND
        return np.asarray(found ^ (found >> np.uint64(31)))
