"""A copy of a network for many forward passes: batch norm folded, channels last, fused convolutions, if it agrees.

On a GPU a float32 copy lies as usual instead: without TF32, cuDNN turns what is channels last around before each
convolution and back behind it (resnet50, 64 images of 224 px on an H100: 3,006 a second against 2,489).
"""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, fx, nn

from xai_assets.attribution.fusing import can_fuse, fold, fuse
from xai_assets.attribution.plain_graph import trace
from xai_assets.vision.same_scores import agree


def quick_network(
    network: nn.Module, image: Tensor, *, dtype: torch.dtype = torch.float32
) -> tuple[Callable[[Tensor], Tensor], str]:
    """The network (in eval mode), or a quicker copy of it that gives its scores on `image` (1 3 h w) and on half of it.

    With another `dtype` than float32 the copy computes in that, after it was checked in float32; how far off its
    scores are is for the caller to measure.

    Returns:
        A function n 3 h w -> n k, and what it is: "fused", "folded" or "as it is", with what spoke against the former.
    """
    pair = torch.cat([image, image / 2])
    as_usual = image.device.type == "cuda"
    with torch.no_grad():
        wanted = network(pair.clone())
    reasons = []
    for name, make in (("fused", _fused), ("folded", _folded)):
        if name == "fused" and not can_fuse(image.device):
            continue
        try:
            graph = make(network, torch.float32)
            candidate = _lying_as_usual(graph) if as_usual else graph
            if not agree(_scores(candidate, pair), wanted):
                reasons.append(f"{name}: other scores than the network's")
                continue
            if dtype != torch.float32:
                candidate = make(network, dtype)
                _scores(candidate, pair.to(dtype))  # a CPU may lack it
        except Exception as error:  # a network's own code may raise anything when its values are symbols
            reasons.append(f"{name}: {type(error).__name__}: {error}".splitlines()[0][:200])
            continue
        return candidate, _told(name, reasons)
    as_it_is = network if dtype == torch.float32 else copy.deepcopy(network).to(dtype)
    return as_it_is, _told("as it is", reasons)


def _scores(network: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    with torch.no_grad():
        return network(images.contiguous(memory_format=torch.channels_last))


def _told(name: str, reasons: list[str]) -> str:
    return f"{name} ({'; '.join(reasons)})" if reasons else name


def _lying_as_usual(graph: fx.GraphModule) -> Callable[[Tensor], Tensor]:
    graph.to(memory_format=torch.contiguous_format)
    return lambda images: graph(images.contiguous())


def _folded(network: nn.Module, dtype: torch.dtype) -> fx.GraphModule:
    root, graph, _ = trace(network)
    return fold(fx.GraphModule(root, graph)).to(dtype)


def _fused(network: nn.Module, dtype: torch.dtype) -> fx.GraphModule:
    return fuse(_folded(network, dtype))
