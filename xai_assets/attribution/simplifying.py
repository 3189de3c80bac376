"""A graph of a network in evaluation mode without what does nothing there, and with the steps that can be fused by name.

Checks and dropout go; what depends on weights alone is computed once; convolutions, batch norms and linear maps that
the network's own code calls as functions (timm's `BatchNormAct2d` and `Conv2dSame`) become the modules of torch.
"""

from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from xai_assets.attribution.plain_graph import argument, constant_of, module_of, set_constant, tidy

_NOTHING_IN_EVAL = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.Identity)
_DROPS = (F.dropout, F.dropout2d)
_STOCHASTIC_DEPTH = (
    "torchvision.ops.stochastic_depth",
    "stochastic_depth",
)  # torchvision takes a second to import
_CHECKS = (torch._assert,)
_GROWS_AT_MOST = 16
"""A value of weights alone is kept if it is at most this many times as large as they are."""


def simplify(graph: fx.GraphModule) -> fx.GraphModule:
    """The same network, in fewer and better known steps."""
    _drop(graph)
    keep_constants(graph)
    for number, node in enumerate(list(graph.graph.nodes)):
        made = _as_module(graph, node)
        if made is None:
            continue
        module, value = made
        name = f"{type(module).__name__.lower()}_of_{node.name}_{number}"
        graph.add_submodule(name, module)
        with graph.graph.inserting_before(node):
            node.replace_all_uses_with(graph.graph.call_module(name, (value,)))
        graph.graph.erase_node(node)
    return tidy(graph)


def _drop(graph: fx.GraphModule) -> None:
    for node in list(graph.graph.nodes):
        if node.op == "call_function" and node.target in _CHECKS:
            graph.graph.erase_node(node)
        elif module_of(graph, node, _NOTHING_IN_EVAL) is not None or _drops_nothing(node):
            node.replace_all_uses_with(node.args[0])
            graph.graph.erase_node(node)
    graph.graph.eliminate_dead_code()


def _drops_nothing(node: fx.Node) -> bool:
    """Whether a node is a dropout, or torchvision's stochastic depth, that is not in training."""
    if node.op != "call_function":
        return False
    if node.target in _DROPS:
        return not argument(node, 2, "training", default=True)
    name = (getattr(node.target, "__module__", ""), getattr(node.target, "__name__", ""))
    return name == _STOCHASTIC_DEPTH and not argument(node, 3, "training", default=True)


def keep_constants(graph: fx.GraphModule) -> None:
    """Compute what depends on weights alone, once."""
    for node in list(graph.graph.nodes):
        inputs = node.all_input_nodes
        if node.op not in ("call_function", "call_method") or not inputs:
            continue
        known = {value: constant_of(graph, value) for value in inputs}
        if any(value is None for value in known.values()) or not _is_repeatable(node):
            continue

        def value_of(value: fx.Node, known: dict[fx.Node, Tensor | None] = known) -> Any:
            return known[value]

        given, options = fx.map_arg(node.args, value_of), fx.map_arg(node.kwargs, value_of)
        with torch.no_grad():
            found = (
                getattr(given[0], str(node.target))(*given[1:], **options)
                if node.op == "call_method"
                else node.target(*given, **options)
            )
        size = sum(value.numel() for value in known.values() if value is not None)
        if isinstance(found, Tensor) and found.numel() <= _GROWS_AT_MOST * size:
            set_constant(graph, node, found.detach())


def _is_repeatable(node: fx.Node) -> bool:
    return not node.is_impure() and "rand" not in str(node.target) and "dropout" not in str(node.target)


def _as_module(graph: fx.GraphModule, node: fx.Node) -> tuple[nn.Module, fx.Node] | None:
    """The module of torch that does what a function does with fixed weights, and what it is given."""
    if node.op != "call_function" or not node.args or not isinstance(node.args[0], fx.Node):
        return None
    if node.target is F.batch_norm:
        return _batch_norm(graph, node)
    if node.target in (F.conv2d, torch.conv2d):
        return _convolution(graph, node)
    return _linear(graph, node) if node.target is F.linear else None


def _batch_norm(graph: fx.GraphModule, node: fx.Node) -> tuple[nn.Module, fx.Node] | None:
    mean, variance, weight, bias = (
        constant_of(graph, argument(node, place, name))
        for place, name in enumerate(("running_mean", "running_var", "weight", "bias"), start=1)
    )
    if mean is None or variance is None or argument(node, 5, "training", default=False):
        return None
    value = node.args[0]
    assert isinstance(value, fx.Node)
    norm = nn.BatchNorm2d(len(mean), eps=argument(node, 7, "eps", default=1e-5), affine=True, device="meta")
    norm.running_mean, norm.running_var, norm.num_batches_tracked = mean, variance, None
    norm.weight = _parameter(torch.ones_like(mean) if weight is None else weight)
    norm.bias = _parameter(torch.zeros_like(mean) if bias is None else bias)
    return norm.eval(), value


def _convolution(graph: fx.GraphModule, node: fx.Node) -> tuple[nn.Module, fx.Node] | None:
    weight, bias = (
        constant_of(graph, argument(node, place, name)) for place, name in ((1, "weight"), (2, "bias"))
    )
    padding = argument(node, 4, "padding", default=0)
    if weight is None or isinstance(padding, str) or (bias is None and argument(node, 2, "bias") is not None):
        return None
    groups, stride = argument(node, 6, "groups", default=1), argument(node, 3, "stride", default=1)
    dilation = _pair(argument(node, 5, "dilation", default=1))
    value, weight, padding = _without_pad(node, weight, _pair(padding), dilation)
    convolution = nn.Conv2d(
        weight.shape[1] * groups, weight.shape[0], _pair(weight.shape[2:]), stride=_pair(stride),
        padding=padding, dilation=dilation, groups=groups,
        bias=bias is not None, device="meta",
    )  # fmt: skip
    convolution.weight = _parameter(weight)
    if bias is not None:
        convolution.bias = _parameter(bias)
    return convolution.eval(), value


def _without_pad(
    node: fx.Node, weight: Tensor, padding: tuple[int, int], dilation: tuple[int, int]
) -> tuple[fx.Node, Tensor, tuple[int, int]]:
    """What a convolution is given before zeros are put around it, its weight, and its padding with those.

    Where there are more zeros behind than in front, as TensorFlow has them, the weight gets zeros in front instead, and
    the other way round: that costs less than to copy the image into a larger one.
    """
    value = node.args[0]
    assert isinstance(value, fx.Node)
    as_it_is = (value, weight, padding)
    if value.op != "call_function" or value.target is not F.pad or len(value.users) != 1:
        return as_it_is
    pad, mode = argument(value, 1, "pad"), argument(value, 2, "mode", default="constant")
    inner, filled = value.args[0], argument(value, 3, "value", default=0)
    if mode != "constant" or filled not in (None, 0) or len(pad) != 4 or not isinstance(inner, fx.Node):
        return as_it_is
    if not all(isinstance(side, int) and side >= 0 for side in pad):
        return as_it_is
    left, right, top, bottom = pad
    if (left != right or top != bottom) and (dilation != (1, 1) or padding != (0, 0)):
        return as_it_is
    across, down = max(left, right), max(top, bottom)
    weight = F.pad(weight, (across - left, across - right, down - top, down - bottom))
    return inner, weight, (padding[0] + down, padding[1] + across)


def _linear(graph: fx.GraphModule, node: fx.Node) -> tuple[nn.Module, fx.Node] | None:
    weight, bias = (
        constant_of(graph, argument(node, place, name)) for place, name in ((1, "weight"), (2, "bias"))
    )
    if weight is None or weight.ndim != 2 or (bias is None and argument(node, 2, "bias") is not None):
        return None
    value = node.args[0]
    assert isinstance(value, fx.Node)
    linear = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    linear.weight = _parameter(weight)
    if bias is not None:
        linear.bias = _parameter(bias)
    return linear.eval(), value


def _parameter(value: Tensor) -> nn.Parameter:
    return nn.Parameter(value.detach(), requires_grad=False)


def _pair(value: Any) -> tuple[int, int]:
    first, second = (
        (value, value) if isinstance(value, int) else (value * 2)[:2] if len(value) == 1 else value
    )
    return int(first), int(second)
