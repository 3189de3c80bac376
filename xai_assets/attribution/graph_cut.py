"""A network cut in two at a layer: what lies before its output, and what lies behind.

    images ──► prefix ──► output of the layer ──► suffix ──► scores
                    └───► frontier ────────────────┘

The frontier is every value that goes around the layer (a residual connection): it does not depend on the layer,
so it is computed once an image and given to the suffix again and again.
"""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.fusing import can_fuse, fold, fuse
from xai_assets.attribution.linear_suffix import is_linear
from xai_assets.attribution.plain_graph import trace


@dataclass(frozen=True)
class GraphCut:
    """A cut network; its parts share no state with the network it came from.

    Attributes:
        prefix: n 3 h w -> the layer's output, and the frontier.
        suffix: the layer's output and the frontier -> n k. Differentiable.
        quick_prefix: the same as `prefix`, fused where it can be.
        quick_suffix: the same as `suffix`, fused where it can be; not differentiable.
        linear: the suffix is an affine function of the layer's output.
    """

    prefix: fx.GraphModule
    suffix: fx.GraphModule
    quick_prefix: fx.GraphModule
    quick_suffix: fx.GraphModule
    linear: bool

    def before(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The layer's output for `images` (n 3 h w), and the frontier."""
        with torch.no_grad():
            output, *frontier = self.quick_prefix(images.contiguous(memory_format=torch.channels_last))
        return output, frontier

    def behind(self, outputs: Tensor, frontier: list[Tensor]) -> Tensor:
        """Scores (b k) where the layer gives `outputs` (b ...) for the one image of this frontier."""
        with torch.no_grad():
            return self.quick_suffix(outputs, *spread(frontier, len(outputs)))


def spread(frontier: list[Tensor], count: int) -> list[Tensor]:
    """One image's frontier, as if there were `count` of them; what has no batch axis of length 1 stays."""
    return [
        value.expand(count, *value.shape[1:])
        if isinstance(value, Tensor) and value.ndim and value.shape[0] == 1
        else value
        for value in frontier
    ]


def cut(network: nn.Module, layer: str, device: torch.device) -> GraphCut:
    """Cut a network at the output of a layer (its module path).

    Raises:
        AttributionError: the layer's output is no value of the graph, or the scores do not depend on it.
        Exception: whatever tracing raises: see `plain_graph.trace`.
    """
    root, graph, outputs = trace(network)
    target = outputs.get(layer)
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
    prefix = fold(fx.GraphModule(root, before))
    suffix = fold(fx.GraphModule(root, after))
    quick = [copy.deepcopy(part) for part in (prefix, suffix)]
    if can_fuse(device):
        quick = [fuse(part) for part in quick]
    return GraphCut(prefix, suffix, quick[0], quick[1], is_linear(suffix))


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
