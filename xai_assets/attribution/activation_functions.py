"""The activation functions that oneDNN applies inside a convolution or a linear map, as networks' code calls them."""

from collections.abc import Callable

import torch
from torch import fx, nn
from torch.nn import functional as F

from xai_assets.attribution.plain_graph import argument, module_of

Activation = tuple[str, tuple[float, ...], str]
"""oneDNN's name of a function, its numbers, and which of several ways to compute it."""

NONE: Activation = ("none", (), "")
RELU: Activation = ("relu", (), "")

_BY_NAME: dict[str, Activation] = {
    "relu": RELU,
    "relu6": ("hardtanh", (0.0, 6.0), ""),
    "silu": ("swish", (), ""),
    "hardswish": ("hardswish", (), ""),
    "hardsigmoid": ("hardsigmoid", (), ""),
    "sigmoid": ("sigmoid", (), ""),
    "tanh": ("tanh", (), ""),
}
_MODULES: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.ReLU6: "relu6",
    nn.SiLU: "silu",
    nn.Hardswish: "hardswish",
    nn.Hardsigmoid: "hardsigmoid",
    nn.Sigmoid: "sigmoid",
    nn.Tanh: "tanh",
}
_FUNCTIONS: dict[Callable[..., object], str] = {
    F.relu: "relu",
    torch.relu: "relu",
    F.relu6: "relu6",
    F.silu: "silu",
    F.hardswish: "hardswish",
    F.hardsigmoid: "hardsigmoid",
    F.sigmoid: "sigmoid",
    torch.sigmoid: "sigmoid",
    F.tanh: "tanh",
    torch.tanh: "tanh",
}
_METHODS = ("relu", "sigmoid", "tanh")


def activation_of(graph: fx.GraphModule, node: fx.Node) -> Activation | None:
    """The activation function that a node applies to its first argument, if it is one of those."""
    if node.op == "call_module":
        module = module_of(graph, node, (*_MODULES, nn.GELU, nn.LeakyReLU))
        if isinstance(module, nn.GELU):
            return ("gelu", (), module.approximate)
        if isinstance(module, nn.LeakyReLU):
            return ("leaky_relu", (module.negative_slope,), "")
        return None if module is None else _BY_NAME[_MODULES[type(module)]]
    if node.op == "call_method":
        return _BY_NAME[str(node.target)] if node.target in _METHODS else None
    if node.op != "call_function" or not node.args or not isinstance(node.args[0], fx.Node):
        return None
    if node.target is F.gelu:
        return ("gelu", (), argument(node, 1, "approximate", default="none"))
    if node.target is F.leaky_relu:
        return ("leaky_relu", (argument(node, 1, "negative_slope", default=0.01),), "")
    name = _FUNCTIONS.get(node.target)  # type: ignore[arg-type]
    return None if name is None else _BY_NAME[name]
