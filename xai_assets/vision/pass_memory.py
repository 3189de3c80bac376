"""How much memory a forward pass holds at once, and batches no larger than there is memory for.

Measured on one image: the bytes of all tensors that are alive at a time, seen as torch makes and frees them. What a
library takes for itself inside an operation is not seen.
"""

import sys
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from xai_assets.vision.spec import MEMORY_MIB

_Network = Callable[[Tensor], Tensor]


class _Watch(TorchDispatchMode):
    """Counts the bytes of tensors from when they are made until nothing holds them any more."""

    def __init__(self) -> None:
        super().__init__()
        self.held = self.most = 0
        self._known: dict[int, int] = {}  # how many tensors share a storage

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {id(value) for value in tree_iter((args, kwargs)) if isinstance(value, Tensor)}
        found = func(*args, **(kwargs or {}))
        for value in tree_iter(found):
            if isinstance(value, Tensor) and id(value) not in given:
                self._hold(value)
        return found

    def _hold(self, value: Tensor) -> None:
        storage = value.untyped_storage()
        place, size = storage.data_ptr(), storage.nbytes()
        if place not in self._known:
            self.held += size
            self.most = max(self.most, self.held)
        self._known[place] = self._known.get(place, 0) + 1
        weakref.finalize(value, self._free, place, size)

    def _free(self, place: int, size: int) -> None:
        self._known[place] -= 1
        if not self._known[place]:
            del self._known[place]
            self.held -= size


def bytes_held(work: Callable[[], object]) -> int:
    """The most bytes that tensors which the work makes hold at a time."""
    with torch.no_grad(), _Watch() as watch:
        work()
    return watch.most


def bytes_of_a_pass(network: _Network, image: Tensor) -> int:
    """The most bytes that a pass on one image (1 3 h w, as the network wants it to lie) holds, its input included."""
    return bytes_held(lambda: network(image.clone()))


def within(memory_mib: int, each: int) -> int:
    """How many things of `each` bytes there is memory for, at least 1."""
    return max(1, memory_mib * 2**20 // max(1, each))


class Bounded:
    """A network that is given so many images at a time that on a CPU their values stay within a bound.

    A GPU has memory of its own, and wants large batches.

    Attributes:
        network: n 3 h w -> n k.
        images: that fit together, at least 1.
    """

    def __init__(self, network: _Network, image: Tensor, *, memory_mib: int = MEMORY_MIB) -> None:
        self.network = network
        on_cpu = image.device.type == "cpu"
        self.images = within(memory_mib, bytes_of_a_pass(network, image)) if on_cpu else sys.maxsize

    def __call__(self, images: Tensor) -> Tensor:
        """The scores of images of this size: n 3 h w -> n k."""
        if len(images) <= self.images:
            return self.network(images)
        return torch.cat([self.network(some) for some in images.split(self.images)])
