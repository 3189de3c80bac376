"""A network as a graph of operations (torch.fx), rewritten so that nothing in it happens in place.

The graph is of a copy without hooks; the network itself is only read. Values that are kept from one pass to the
next must not be written to, so every in-place operation becomes its ordinary twin. That gives the same numbers
unless the network reads a value again after it was overwritten through another name: whoever uses the graph
compares it with the network first.
"""

import copy
import operator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch._subclasses.fake_tensor import DataDependentOutputException

from xai_assets.attribution.shaped_trace import NamingTracer, ShapedTracer

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_OUT_OF_PLACE = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
}


@dataclass(frozen=True)
class Traced:
    """A frozen copy of a network, and what it computes.

    Attributes:
        root: the copy.
        graph: its operations, none of them in place.
        outputs: the output node of each module, the last one where it is called several times.
        size: height and width of the images that the graph is for; None: of any.
    """

    root: nn.Module
    graph: fx.Graph
    outputs: dict[str, fx.Node]
    size: tuple[int, int] | None = None

    def fits(self, image: Tensor) -> bool:
        """Whether the graph is one for images of this size (n 3 h w)."""
        return self.size in (None, tuple(image.shape[2:]))


def trace(network: nn.Module, image: Tensor, *, of_one_size: bool = False) -> Traced:
    """The network's graph: one for images of any size if its code allows that, else for those of the size of `image`.

    Args:
        network: in eval mode.
        image: 1 3 h w; only its size, its type and its device matter.
        of_one_size: for those of the size of `image` in any case. The only numbers that the graph then computes are those
            that grow with the batch; all others are in it.

    Raises:
        Exception: whatever the network's own code does when its values are symbols, such as branching on them.
    """
    root = copy.deepcopy(network).eval().requires_grad_(False)
    for module in root.modules():
        for name in _HOOKS:
            getattr(module, name).clear()
        if getattr(module, "inplace", False) is True:
            module.inplace = False  # type: ignore[assignment]
    tracer, graph = _traced(root, image, of_one_size=of_one_size)
    for node in graph.nodes:
        _out_of_place(node)
    size = (image.shape[2], image.shape[3]) if isinstance(tracer, ShapedTracer) else None
    return Traced(root, graph, tracer.outputs, size)


def _traced(root: nn.Module, image: Tensor, *, of_one_size: bool) -> tuple[NamingTracer, fx.Graph]:
    first: Exception | None = None
    if not of_one_size:
        plain = NamingTracer()
        try:
            return plain, plain.trace(root)
        except Exception as why:  # the network's own code, which may raise anything when a shape is a symbol
            first = why
    shaped = ShapedTracer(image)
    try:
        return shaped, shaped.trace(root)
    except DataDependentOutputException as why:
        raise first or why from None


def _out_of_place(node: fx.Node) -> None:
    if node.op == "call_function" and node.target in _OUT_OF_PLACE:
        node.target = _OUT_OF_PLACE[node.target]
    elif node.op == "call_method" and isinstance(node.target, str) and node.target.endswith("_"):
        twin = node.target.removesuffix("_")
        if not twin.endswith("_") and hasattr(Tensor, twin):
            node.target = twin
    if node.kwargs.get("inplace") is True:
        node.kwargs = {**node.kwargs, "inplace": False}


def tidy(graph_module: fx.GraphModule) -> fx.GraphModule:
    """Drop operations and modules that nothing uses, and compile the graph again."""
    graph_module.graph.eliminate_dead_code()
    graph_module.delete_all_unused_submodules()
    graph_module.graph.lint()
    graph_module.recompile()
    return graph_module


def module_of(graph_module: fx.GraphModule, node: fx.Node, kind: type | tuple[type, ...]) -> Any:
    """The module that a node calls if its type is exactly one of `kind`, else None."""
    if node.op != "call_module":
        return None
    found = graph_module.get_submodule(str(node.target))
    return found if type(found) in (kind if isinstance(kind, tuple) else (kind,)) else None


def is_addition(node: fx.Node) -> bool:
    """Whether a node adds two tensors, nothing scaled."""
    return (
        node.op == "call_function"
        and node.target in (operator.add, torch.add)
        and len(node.args) == 2
        and all(isinstance(argument, fx.Node) for argument in node.args)
        and not node.kwargs
    )


def argument(node: fx.Node, place: int, name: str, *, default: Any = None) -> Any:
    """What a node gives a function as its argument of this place (from 0) or name."""
    return node.args[place] if len(node.args) > place else node.kwargs.get(name, default)


def constant_of(graph_module: fx.GraphModule, value: Any) -> Tensor | None:
    """The tensor that a node reads off the network, if it is such a node."""
    if not isinstance(value, fx.Node) or value.op != "get_attr":
        return None
    found = operator.attrgetter(str(value.target))(graph_module)
    return found if isinstance(found, Tensor) else None


def set_constant(graph_module: fx.GraphModule, node: fx.Node, value: Tensor) -> None:
    """Let a tensor take the place of a node."""
    name = f"constant_{node.name}"
    graph_module.register_buffer(name, value)
    with graph_module.graph.inserting_before(node):
        node.replace_all_uses_with(graph_module.graph.get_attr(name))
    graph_module.graph.erase_node(node)
