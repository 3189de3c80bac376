"""A network as a graph of operations (torch.fx), rewritten so that nothing in it happens in place.

The graph is of a copy without hooks; the network itself is only read. Values that are kept from one pass to the
next must not be written to, so every in-place operation becomes its ordinary twin. That gives the same numbers
unless the network reads a value again after it was overwritten through another name: whoever uses the graph
compares it with the network first.
"""

import copy
import operator
from typing import Any

import torch
from torch import Tensor, fx, nn

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_OUT_OF_PLACE = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
}


class _Tracer(fx.Tracer):
    """Notes which node each module's output is, the last one where it is called several times."""

    def __init__(self) -> None:
        super().__init__()
        self.outputs: dict[str, fx.Node] = {}

    def call_module(self, m: nn.Module, forward: Any, args: Any, kwargs: Any) -> Any:
        output = super().call_module(m, forward, args, kwargs)
        if isinstance(output, fx.Proxy):
            self.outputs[self.path_of_module(m)] = output.node
        return output


def trace(network: nn.Module) -> tuple[nn.Module, fx.Graph, dict[str, fx.Node]]:
    """A frozen copy of the network, its graph without in-place operations, and the output node of each module.

    Raises:
        Exception: whatever the network's own code does when its values are symbols, such as branching on them.
    """
    root = copy.deepcopy(network).eval().requires_grad_(False)
    for module in root.modules():
        for name in _HOOKS:
            getattr(module, name).clear()
        if getattr(module, "inplace", False) is True:
            module.inplace = False  # type: ignore[assignment]
    tracer = _Tracer()
    graph = tracer.trace(root)
    for node in graph.nodes:
        _out_of_place(node)
    return root, graph, tracer.outputs


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
