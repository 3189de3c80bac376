"""Only what lies behind a layer is computed, without a graph: what was finished before it is not run again.

One recorded pass tells which modules finished before the layer. Run again, each of them answers at once with what
it gave then, the layer answers with what it is told to, and everything behind computes as ever. That needs no
knowledge of the network's code, so it works where a graph cannot be made; what an enclosing module computes
itself, between its parts, is computed again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from xai_assets.attribution.errors import AttributionError


@dataclass(frozen=True)
class Replay:
    """What the modules around a layer gave for one image.

    Attributes:
        network: it computes; only its answers are intercepted, and only during a call.
        module: the layer.
        image: 1 3 h w.
        finished: for each module that finished before the layer, inside the modules around it: its outputs, call
            by call, and for each tensor in them whether its first axis grows with the batch.
        calls: how often the layer is called.
    """

    network: nn.Module
    module: nn.Module
    image: Tensor
    finished: dict[nn.Module, list[Any]]
    calls: int

    def __call__(self, outputs: Tensor) -> Tensor:
        """Scores (b k) where the layer gives `outputs` (b ...) at its last call."""
        count = len(outputs)
        with torch.no_grad(), self._intercepted(outputs):
            return self.network(self.image.expand(count, *self.image.shape[1:]))

    @contextmanager
    def _intercepted(self, outputs: Tensor) -> Iterator[None]:
        seen: dict[nn.Module, int] = {}

        def answer(module: nn.Module, original: Any) -> Any:
            def forward(*arguments: Any, **options: Any) -> Any:
                call = seen[module] = seen.get(module, 0) + 1
                if module is self.module:
                    # A copy: the network may write into what it is given.
                    return outputs.clone() if call == self.calls else original(*arguments, **options)
                known = self.finished[module]
                if call > len(known):
                    return original(*arguments, **options)
                return _each(known[call - 1], lambda value: _grown(value, len(outputs)))

            return forward

        intercepted = [*self.finished, self.module]
        before = [(module, module.__dict__.get("forward")) for module in intercepted]
        try:
            for module in intercepted:
                module.forward = answer(module, module.forward)
            yield
        finally:
            for module, own in before:
                if own is None:
                    del module.forward
                else:
                    module.forward = own


@dataclass(frozen=True)
class _Value:
    tensor: Tensor
    grows: bool


def _grown(value: _Value, count: int) -> Tensor:
    if not value.grows:
        return value.tensor.clone()
    return value.tensor.repeat(count, *[1] * (value.tensor.ndim - 1))  # image by image, as windows lie too


def replay(network: nn.Module, layer: str, image: Tensor) -> Replay:
    """Record a pass on one image (1 3 h w), and the shapes of one on two, to see what grows with the batch.

    Raises:
        AttributionError: the network does not take the same way for two images as for one.
    """
    module = network.get_submodule(layer)
    around = {network.get_submodule(name) for name in _prefixes(layer)}
    # One image last: what modules keep for each other on the side is then this image's, and spreads over a batch.
    two, _ = _record(network, module, around, image.expand(2, *image.shape[1:]))
    one, calls = _record(network, module, around, image)
    if [entry for entry, _ in one] != [entry for entry, _ in two]:
        raise AttributionError(f"the layer {layer}", "is reached by another way in a batch", "Use one image.")
    finished: dict[nn.Module, list[Any]] = {}
    for (finisher, alone), (_, doubled) in zip(one, two, strict=True):
        finished.setdefault(finisher, []).append(_paired(alone, doubled))
    return Replay(network, module, image, finished, calls)


def _prefixes(layer: str) -> list[str]:
    parts = layer.split(".")
    return [".".join(parts[:length]) for length in range(len(parts))]


def _record(
    network: nn.Module, module: nn.Module, around: set[nn.Module], images: Tensor
) -> tuple[list[tuple[nn.Module, Any]], int]:
    """The modules that finish before the layer's last call directly inside a module around it, with outputs."""
    running: list[nn.Module] = []
    log: list[tuple[nn.Module, Any]] = []
    reached: list[int] = []

    def begin(started: nn.Module, _: Any) -> None:
        running.append(started)

    def end(ended: nn.Module, _: Any, output: Any) -> None:
        running.pop()
        if ended is module:
            reached.append(len(log))
        elif ended not in around and running and running[-1] in around:
            log.append((ended, _each(output, torch.Tensor.clone)))

    handles = []
    try:
        for part in dict.fromkeys(network.modules()):
            handles += [part.register_forward_pre_hook(begin), part.register_forward_hook(end)]
        with torch.no_grad():
            network(images)
    finally:
        for handle in handles:
            handle.remove()
    return log[: reached[-1]], len(reached)


def _each(output: Any, change: Any) -> Any:
    """`change` on every tensor, or recorded value, of nested tuples, lists and dictionaries."""
    if isinstance(output, (Tensor, _Value)):
        return change(output)
    if isinstance(output, dict):
        return {key: _each(value, change) for key, value in output.items()}
    if isinstance(output, (tuple, list)):
        values = [_each(value, change) for value in output]
        return type(output)(*values) if hasattr(output, "_fields") else type(output)(values)
    return output


def _paired(alone: Any, doubled: Any) -> Any:
    if isinstance(alone, Tensor):
        return _Value(alone, alone.ndim > 0 and doubled.shape[0] == 2 * alone.shape[0])
    if isinstance(alone, dict):
        return {key: _paired(value, doubled[key]) for key, value in alone.items()}
    if isinstance(alone, (tuple, list)):
        values = [_paired(a, b) for a, b in zip(alone, doubled, strict=True)]
        return type(alone)(*values) if hasattr(alone, "_fields") else type(alone)(values)
    return alone
