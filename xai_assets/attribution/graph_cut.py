"""A network cut in two at a layer: what lies before its output, and what lies behind.

    images ──► prefix ──► output of the layer ──► suffix ──► scores
                    └───► frontier ────────────────┘

The frontier is every value that goes around the layer (a residual connection): it does not depend on the layer,
so it is computed once an image and given to the suffix again and again.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.fusing import can_fuse, fold, fuse
from xai_assets.attribution.linear_heads import LinearHeads, linear_heads
from xai_assets.attribution.linear_suffix import is_linear
from xai_assets.attribution.plain_graph import Traced, trace
from xai_assets.attribution.simplifying import keep_constants


@dataclass(frozen=True)
class GraphCut:
    """A cut network; its parts share no state with the network it came from.

    Attributes:
        prefix: n 3 h w -> the layer's output, and the frontier.
        suffix: the layer's output and the frontier -> n k. Differentiable.
        quick_prefix: the same as `prefix`, fused where it can be.
        quick_suffix: the same as `suffix`, fused where it can be; not differentiable.
        linear: the suffix is an affine function of the layer's output.
        heads: the convolutions that read the layer's output, to ablate channels by; None: there are none.
        quick_rest: what lies behind those, fused where it can be.
        size: height and width of the images that it is for; None: of any.
    """

    prefix: fx.GraphModule
    suffix: fx.GraphModule
    quick_prefix: fx.GraphModule
    quick_suffix: fx.GraphModule
    linear: bool
    heads: LinearHeads | None = None
    quick_rest: fx.GraphModule | None = None
    size: tuple[int, int] | None = None

    def before(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The layer's output for `images` (n 3 h w), and the frontier."""
        with torch.no_grad():
            output, *frontier = self.quick_prefix.forward(
                images.contiguous(memory_format=torch.channels_last)
            )
        return output, frontier

    def behind(self, outputs: Tensor, frontier: list[Tensor]) -> Tensor:
        """Scores (b k) where the layer gives `outputs` (b ...) for the one image of this frontier."""
        with torch.no_grad():
            return self.quick_suffix.forward(outputs, *spread(frontier, len(outputs)))

    def ablating(self, output: Tensor, frontier: list[Tensor]) -> Callable[[Tensor, Tensor], Tensor] | None:
        """Scores (b k) where each of some channels (b) of one image's output becomes one number each (b).

        None where the layer's output (1 c h w) is not read by convolutions.
        """
        heads, rest = self.heads, self.quick_rest
        if heads is None or rest is None or output.ndim != 4:
            return None
        with torch.no_grad():
            base = heads.base(output)

        def scores(channels: Tensor, values: Tensor) -> Tensor:
            count = len(channels)
            with torch.no_grad():
                found = heads.ablated(base, values[:, None, None] - output[0, channels], channels)
                if heads.keeps_output:
                    whole = output.expand(count, *output.shape[1:]).clone(memory_format=torch.channels_last)
                    whole[torch.arange(count, device=output.device), channels] = values[:, None, None]
                    found.append(whole)
                return rest.forward(*found, *spread(frontier, count))

        return scores


def spread(frontier: list[Tensor], count: int) -> list[Tensor]:
    """One image's frontier, as if there were `count` of them; a tensor without a batch axis of length 1 stays.

    A number is one that grows with the batch: see `plain_graph.trace`.
    """
    return [_spread(value, count) for value in frontier]


def _spread(value: Any, count: int) -> Any:
    if isinstance(value, int):
        return value * count
    if isinstance(value, Tensor) and value.ndim and value.shape[0] == 1:
        return value.expand(count, *value.shape[1:])
    return value


def cut(network: nn.Module, layer: str, image: Tensor) -> GraphCut:
    """Cut a network at the output of a layer (its module path), for images of the size of `image` (1 3 h w).

    Raises:
        AttributionError: the layer's output is no value of the graph, or the scores do not depend on it.
        Exception: whatever tracing raises: see `plain_graph.trace`.
    """
    traced = trace(network, image)
    found = _cut(traced, layer, image)
    if traced.size is None and any(not isinstance(value, Tensor) for value in found.before(image)[1]):
        # Numbers go around the layer: only in a graph for one size is known which of them grow with the batch.
        found = _cut(trace(network, image, of_one_size=True), layer, image)
    return found


def _cut(traced: Traced, layer: str, image: Tensor) -> GraphCut:
    keep_constants(
        whole := fx.GraphModule(traced.root, traced.graph)
    )  # before they could be part of a frontier
    graph, target = whole.graph, traced.outputs.get(layer)
    if target is None:
        raise AttributionError(f"the layer {layer}", "is inside a step of the graph", "Replay it instead.")
    behind = _behind(graph, target)
    frontier = _frontier(graph, target, behind)
    scores = next(node for node in graph.nodes if node.op == "output")
    if scores not in behind:
        raise AttributionError(
            f"the layer {layer}", "has no part in the scores", "Name one that leads to them."
        )
    before, after = _split(graph, target, frontier, behind)
    prefix = fold(fx.GraphModule(whole, before))
    suffix = fold(fx.GraphModule(whole, after))
    quick = [copy.deepcopy(part) for part in (prefix, suffix)]
    if can_fuse(image.device):
        quick = [fuse(part) for part in quick]
    heads = linear_heads(suffix)
    rest = None if heads is None else fuse(heads.rest) if can_fuse(image.device) else heads.rest
    return GraphCut(prefix, suffix, quick[0], quick[1], is_linear(suffix), heads, rest, traced.size)


def _behind(graph: fx.Graph, target: fx.Node) -> set[fx.Node]:
    """The nodes that depend on the target."""
    found: set[fx.Node] = set()
    for node in graph.nodes:
        if any(value is target or value in found for value in node.all_input_nodes):
            found.add(node)
    return found


def _frontier(graph: fx.Graph, target: fx.Node, behind: set[fx.Node]) -> list[fx.Node]:
    """What the nodes behind use that does not depend on the target, but for constants."""
    found: dict[fx.Node, None] = {}
    for node in graph.nodes:
        if node in behind:
            for value in node.all_input_nodes:
                if value is not target and value not in behind and value.op != "get_attr":
                    found[value] = None
    return list(found)


def _split(
    graph: fx.Graph, target: fx.Node, frontier: list[fx.Node], behind: set[fx.Node]
) -> tuple[fx.Graph, fx.Graph]:
    before, after = fx.Graph(), fx.Graph()
    early: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        if node not in behind and node.op != "output":
            early[node] = before.node_copy(node, lambda value: early[value])
    before.output(tuple(early[node] for node in (target, *frontier)))
    late: dict[fx.Node, fx.Node] = {target: after.placeholder("output_of_the_layer")}
    for number, node in enumerate(frontier):
        late[node] = after.placeholder(f"frontier_{number}")
    for node in graph.nodes:
        if node in behind or (node.op == "get_attr" and node not in late):
            late[node] = after.node_copy(node, lambda value: late[value])
    return before, after
