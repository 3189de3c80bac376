"""A copy of a network for many forward passes: batch norm folded, channels last, fused convolutions, if it agrees.

On a GPU a float32 copy lies as usual instead: without TF32, cuDNN turns what is channels last around before each
convolution and back behind it (resnet50, 64 images of 224 px on an H100: 3,006 a second against 2,489).
"""

import copy
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, fx, nn

from xai_assets.attribution.fusing import can_fuse, fold, fuse
from xai_assets.attribution.plain_graph import trace
from xai_assets.vision.same_scores import agree

AS_IT_IS = "as it is"

_Make = Callable[[torch.dtype], nn.Module]


def quick_network(
    network: nn.Module, image: Tensor, *, dtype: torch.dtype = torch.float32
) -> tuple[Callable[[Tensor], Tensor], str]:
    """The network (in eval mode), or a quicker copy of it that gives the same scores.

    They are compared on `image` (1 3 h w), alone, and together with half of it. With another `dtype` than
    float32 the copy computes in that, after it was checked in float32; how far off its scores are is for the caller to
    measure.

    Returns:
        A function n 3 h w -> n k for images of this size, and what it is: "fused", "folded", "channels last" or "as it
        is", with what spoke against the former.
    """
    pair = torch.cat([image, image / 2])
    as_usual = image.device.type == "cuda"
    with torch.no_grad():
        wanted = network(pair.clone())
    reasons: dict[str, list[str]] = {}
    for name, make in _copies(network, image):
        try:
            found = make(torch.float32)
            candidate = _lying_as_usual(found) if as_usual else found
            # Alone as well: a graph is traced for batches.
            if not agree(_scores(candidate, pair), wanted) or not agree(
                _scores(candidate, image), wanted[:1]
            ):
                reasons.setdefault("other scores than the network's", []).append(name)
                continue
            if dtype != torch.float32:
                candidate = make(dtype)
                _scores(candidate, pair.to(dtype))  # a CPU may lack it
        except Exception as error:  # a network's own code may raise anything when its values are symbols
            why = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            reasons.setdefault(why, []).append(name)
            continue
        return candidate, _told(name, reasons)
    as_it_is = network if dtype == torch.float32 else copy.deepcopy(network).to(dtype)
    return as_it_is, _told(AS_IT_IS, reasons)


def _copies(network: nn.Module, image: Tensor) -> Iterator[tuple[str, _Make]]:
    """The ways to copy the network, the quickest first."""

    def folded(dtype: torch.dtype) -> fx.GraphModule:
        traced = trace(network, image)
        return fold(fx.GraphModule(traced.root, traced.graph)).to(dtype)

    if can_fuse(image.device):
        yield "fused", lambda dtype: fuse(folded(dtype))
    yield "folded", folded
    if image.device.type == "cpu":
        yield (
            "channels last",
            lambda dtype: copy.deepcopy(network).to(dtype).to(memory_format=torch.channels_last),
        )


def _scores(network: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    # What a graph's `__call__` does beyond `forward` is to print where it failed.
    compute = network.forward if isinstance(network, fx.GraphModule) else network
    with torch.no_grad():  # a copy: the network may write into its input
        return compute(images.clone(memory_format=torch.channels_last))


def _told(name: str, reasons: dict[str, list[str]]) -> str:
    against = "; ".join(f"{', '.join(names)}: {why}" for why, names in reasons.items())
    return f"{name} ({against})" if against else name


def _lying_as_usual(graph: nn.Module) -> Callable[[Tensor], Tensor]:
    graph.to(memory_format=torch.contiguous_format)
    return lambda images: graph(images.contiguous())
