"""What a layer gives in a forward pass, and what a network answers when it gives something else.

A layer's output is copied when it is recorded, and what goes on into the network is a copy too: an in-place
operation behind the layer (torchvision's `out += identity` and its ReLUs) would otherwise write into the record.
The library keeps a reference on a CPU, and explains other activations than the layer's there.

A layer that is called several times in a pass (a shared ReLU) is taken at its last call.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.targets import Asked, as_target, scores_of
from xai_assets.vision.layout_reader import LayoutReader


@dataclass(frozen=True)
class Capture:
    """One forward pass.

    Attributes:
        output: the layer's output at its last call, as it lies in the network; nobody else writes to it.
        scores: n k, the network's answer.
        calls: how often the layer was called.
    """

    output: Tensor
    scores: Tensor
    calls: int


def capture(network: nn.Module, module: nn.Module, images: Tensor) -> Capture:
    """Run the network on `images` (n 3 h w) and record the layer's output, without gradients.

    Raises:
        AttributionError: the layer is not reached.
        LayoutError: it gives no tensor.
    """
    found: list[Tensor] = []
    heard = _on_output(module, lambda output: found.append(_copy(output)))
    with _told(network, module, images), torch.no_grad(), heard:
        scores = network(images)
    return Capture(_last(found), scores, len(found))


def gradients(
    network: nn.Module, module: nn.Module, images: Tensor, targets: Sequence[Asked]
) -> tuple[Tensor, Tensor]:
    """The layer's output and the gradient of each image's target score with respect to it, alike in shape.

    The parameters must be frozen. The graph starts at the layer: nothing is kept of what lies before it. Where
    the score does not depend on the layer, the gradient is 0.
    """
    leaves: list[Tensor] = []

    def start(output: Any) -> Tensor:
        leaves.append(_copy(output).requires_grad_())
        return leaves[-1].clone()  # autograd forbids in-place operations on a leaf

    with _told(network, module, images), torch.enable_grad(), _on_output(module, start):
        scores = network(images)
    leaf = _last(leaves)
    return leaf.detach(), score_gradient(scores, leaf, targets)


def score_gradient(scores: Tensor, leaf: Tensor, targets: Sequence[Asked]) -> Tensor:
    """Gradient of the sum of every image's own target score (scores n k) with respect to `leaf`."""
    if not scores.requires_grad:
        return torch.zeros_like(leaf)
    with torch.enable_grad():
        chosen = scores_of(scores, [as_target(target) for target in targets])
        (found,) = torch.autograd.grad(chosen.sum(), leaf, allow_unused=True)
    return torch.zeros_like(leaf) if found is None else found


def substitute(
    network: nn.Module, module: nn.Module, images: Tensor, output: Tensor, *, calls: int
) -> Tensor:
    """Scores (n k) of a full pass in which the layer gives `output` at its last call, the `calls`-th."""
    count = 0

    def replace(_: Any) -> Tensor | None:
        nonlocal count
        count += 1
        return output.clone() if count == calls else None

    with torch.no_grad(), _on_output(module, replace):
        return network(images)


class _NoTensor(Exception):
    """A layer gave something else; ends the pass."""


@contextmanager
def _told(network: nn.Module, module: nn.Module, images: Tensor) -> Iterator[None]:
    """Say of a layer without a tensor what the reader of layouts says, once the pass and its hooks are ended."""
    try:
        yield
    except _NoTensor as ended:
        path = next(path for path, found in network.named_modules() if found is module)
        LayoutReader(network, path)(ended.args[0], images)
        raise  # not reached: the reader refuses what is no tensor


@contextmanager
def _on_output(module: nn.Module, see: Callable[[Any], Any]) -> Iterator[None]:
    handle = module.register_forward_hook(lambda _module, _inputs, output: _tensor_or_none(see(output)))
    try:
        yield
    finally:
        handle.remove()


def _tensor_or_none(answer: Any) -> Tensor | None:
    return answer if isinstance(answer, Tensor) else None


def _copy(output: Any) -> Tensor:
    if not isinstance(output, Tensor):
        raise _NoTensor(output)
    return output.detach().clone()


def _last(found: list[Tensor]) -> Tensor:
    if not found:
        raise AttributionError(
            "the target layer",
            "is not reached in the forward pass; a class activation map needs its output",
            "Name a layer that every image goes through, such as layer4.",
        )
    return found[-1]
