"""What goes into a network's last layer, kept while images go through: another last layer then costs no pass.

Only where that layer is linear and its output is the network's. What goes into it is read in the quick copy, in which it
is torch's (see `fusing`), and its scores are the copy's to the bit, which is looked at with the first images.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, fx, nn

from xai_assets.vision.pass_memory import Bounded


def last_linear(network: nn.Module) -> str | None:
    """The path of the last module with parameters of its own, in order of registration, where it is a linear layer."""
    paths = [
        (path, module)
        for path, module in network.named_modules()
        if next(module.parameters(recurse=False), None) is not None
    ]
    return paths[-1][0] if paths and isinstance(paths[-1][1], nn.Linear) else None


class Watched:
    """A network, or a quick copy of one, that keeps what goes into its last layer, in the order of its calls.

    Args:
        score: n 3 h w -> n k: a quick copy (see `quick_network`), or the network as it is.
        module: in which the last layer is called; of anything else nothing is kept.
        path: of the last layer, see `last_linear`; None: nothing is kept.
        images: that go through it together.
    """

    def __init__(
        self, score: Callable[[Tensor], Tensor], module: object, path: str | None, images: int
    ) -> None:
        self._score, self.images = score, images
        self._layer: nn.Module | None = None if path is None else _last(module, path)
        self._calls: list[Tensor] = []

    def __call__(self, images: Tensor) -> Tensor:
        """The scores of n 3 h w, n k."""
        if self._layer is None:
            return self._score(images)
        seen: list[Tensor] = []
        handle = self._layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        try:
            scores = self._score(images)
        finally:
            handle.remove()
        whole = len(seen) == 1 and seen[0].ndim == 2 and len(seen[0]) == len(images)
        if not whole or (not self._calls and not torch.equal(self._layer(seen[0]), scores)):
            self._layer, self._calls = None, []
            return scores
        self._calls.append(seen[0].detach().float().cpu())
        return scores

    def take(self) -> list[Tensor] | None:
        """What went into the last layer (n c float32) at each call since the last time; None where it is not known."""
        found, self._calls = self._calls, []
        return None if self._layer is None else found


def _last(module: object, path: str) -> nn.Module | None:
    """The last layer, where it is linear."""
    found: object = None
    if isinstance(module, fx.GraphModule):
        (output,) = (node for node in module.graph.nodes if node.op == "output")
        before = output.args[0]
        if isinstance(before, fx.Node) and before.op == "call_module":
            found = module.get_submodule(str(before.target))
    elif isinstance(module, nn.Module):
        found = dict(module.named_modules()).get(path)
    return found if isinstance(found, nn.Linear) else None


def watch(network: Bounded, module: object, path: str) -> Watched:
    """Keep what goes into the last layer of a network, which is given so many images at a time from now on as before."""
    watched = Watched(network.network, module, path, network.images)
    network.network = watched
    return watched


class KnownScores:
    """As `score.ScoreMemory`: the scores of another last layer, from what went into the first one.

    Args:
        layer: the other one.
        inputs: m c float32 of a whole map, in batches: the first image alone where `alone`, then so many.
        alone: whether the first image is a batch of its own.
        batch_size: of the others.
        cut: images of a batch that went through the network together, see `scores_of`.
    """

    def __init__(
        self, layer: nn.Linear, inputs: np.ndarray, *, alone: bool, batch_size: int, cut: int
    ) -> None:
        given = torch.from_numpy(inputs)
        rest = given[int(alone) :].split(batch_size)
        self._scores = scores_of(layer, [*([given[:1]] if alone else []), *rest], cut)

    def get(self, batch: int) -> np.ndarray | None:
        """The scores (m k) float32 of that batch of masks."""
        return self._scores[batch].cpu().numpy() if batch < len(self._scores) else None

    def put(self, batch: int, scores: np.ndarray) -> None:
        """All are known."""


def scores_of(layer: nn.Linear, calls: Sequence[Tensor], cut: int) -> list[Tensor]:
    """The scores (n k float32) that a last layer gives to what went into another, in the same batches.

    Args:
        layer: the other one.
        calls: n c float32 each, as of `Watched.take`.
        cut: images that went through the network together (`pass_memory.Bounded.images`): the last digits of a score
            depend on the batch.
    """
    device = layer.weight.device
    with torch.inference_mode():
        return [torch.cat([layer(some.to(device)).float() for some in inputs.split(cut)]) for inputs in calls]
