"""Whether what lies behind a layer is an affine function of it: then one gradient says what every ablation does.

For an affine f, f(A) - f(A') = <gradient, A - A'> exactly, however far A' is from A. Average pool, flatten and a
linear head are affine; so is everything that only moves numbers about.
"""

import operator

import torch
from torch import fx, nn

from xai_assets.attribution.plain_graph import is_addition, module_of

_MODULES = (
    nn.AdaptiveAvgPool2d,
    nn.AvgPool2d,
    nn.BatchNorm2d,  # in eval mode
    nn.Conv2d,
    nn.Dropout,
    nn.Flatten,
    nn.Identity,
    nn.Linear,
)
_FUNCTIONS = (torch.flatten, torch.mean, torch.squeeze)
_METHODS = ("contiguous", "flatten", "mean", "permute", "squeeze", "transpose")


def is_linear(suffix: fx.GraphModule) -> bool:
    """Whether every operation of the graph is affine in its inputs; False where one is not known to be."""
    return all(_affine(suffix, node) for node in suffix.graph.nodes)


def _affine(suffix: fx.GraphModule, node: fx.Node) -> bool:
    if node.op in ("placeholder", "output", "get_attr"):
        return True
    if node.op == "call_module":
        return module_of(suffix, node, _MODULES) is not None
    if node.op == "call_method":
        return node.target in _METHODS
    if node.target is operator.getitem:
        return not any(isinstance(argument, fx.Node) for argument in node.args[1:])
    return node.target in _FUNCTIONS or is_addition(node)
