"""The same network in fewer steps: batch norm folded into convolutions, channels last, fused convolutions.

Folding multiplies a batch norm's scale into the convolution before it, which changes the last digits (about 1e-6
of a score). On a CPU, oneDNN then adds the residual and applies the activation function inside the convolution or the
linear map, which saves the memory traffic that eager torch spends half of its time on. These are the operators that
torch's own compiler emits; they are torch's private ones, so whoever uses a fused graph compares it with the network
first.
"""

import copy
import operator

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from xai_assets.attribution.activation_functions import NONE, Activation, activation_of
from xai_assets.attribution.plain_graph import constant_of, is_addition, module_of, tidy
from xai_assets.attribution.simplifying import simplify

_PRODUCTS = (operator.mul, torch.mul)
_SUMS = (operator.add, torch.add)


def fold(graph: fx.GraphModule) -> fx.GraphModule:
    """Simplify, fold what alone follows a convolution and scales its channels into it, and put weights channels last.

    That is a batch norm, or a product or sum with one number a channel, as a frozen batch norm is computed.
    """
    simplify(graph)
    times: dict[str, int] = {}
    for node in graph.graph.nodes:
        if node.op == "call_module":
            times[str(node.target)] = times.get(str(node.target), 0) + 1
    for node in list(graph.graph.nodes):
        before = node.args[0] if node.args else None
        if not isinstance(before, fx.Node) or len(before.users) != 1 or times.get(str(before.target)) != 1:
            continue  # weights that are used twice belong to others too
        convolution = module_of(graph, before, nn.Conv2d)
        folded = None if convolution is None else _folded(graph, convolution, node)
        if folded is not None:
            graph.add_submodule(str(before.target), folded)
            node.replace_all_uses_with(before)
            graph.graph.erase_node(node)
    for module in graph.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)
    return tidy(graph)


def _folded(graph: fx.GraphModule, convolution: nn.Conv2d, node: fx.Node) -> nn.Conv2d | None:
    """A convolution that does what follows it as well, if it can."""
    norm = module_of(graph, node, nn.BatchNorm2d)
    if norm is not None:
        return None if norm.running_mean is None else fuse_conv_bn_eval(convolution, norm)
    if (
        node.op != "call_function"
        or node.target not in (*_PRODUCTS, *_SUMS)
        or len(node.args) != 2
        or node.kwargs
    ):
        return None
    numbers = constant_of(graph, node.args[1])
    if numbers is None or tuple(numbers.shape[-3:]) != (convolution.out_channels, 1, 1) or numbers.ndim > 4:
        return None
    numbers = numbers.flatten()  # 1 c 1 1 -> c
    bias = torch.zeros_like(numbers) if convolution.bias is None else convolution.bias
    made = copy.copy(convolution)
    made._parameters = dict(convolution._parameters)
    if node.target in _PRODUCTS:
        made.weight = nn.Parameter(convolution.weight * numbers[:, None, None, None], requires_grad=False)
        made.bias = nn.Parameter(bias * numbers, requires_grad=False)
    else:
        made.bias = nn.Parameter(bias + numbers, requires_grad=False)
    return made


def can_fuse(device: torch.device) -> bool:
    """Whether oneDNN's fused convolutions are here."""
    return (
        device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
    )


class FusedConvolution(nn.Module):
    """Convolution, then an addition where `other` is given, then an activation function: one pass over memory."""

    def __init__(self, convolution: nn.Conv2d, activation: Activation) -> None:
        super().__init__()
        self.weight, self.bias = _frozen(convolution.weight), _frozen(convolution.bias)
        self.padding, self.stride = convolution.padding, convolution.stride
        self.dilation, self.groups = convolution.dilation, convolution.groups
        self.activation = activation

    def forward(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        """n c h w -> n c' h' w'."""
        shape = (self.padding, self.stride, self.dilation, self.groups)
        name, numbers, kind = self.activation
        if other is None:
            return torch.ops.mkldnn._convolution_pointwise(
                x, self.weight, self.bias, *shape, name, list(numbers), kind
            )
        return torch.ops.mkldnn._convolution_pointwise.binary(
            x, other, self.weight, self.bias, *shape, "add", None, None if name == "none" else name, [], None
        )


class FusedLinear(nn.Module):
    """Linear map, then an addition where `other` is given, or an activation function: one pass over memory."""

    def __init__(self, linear: nn.Linear, activation: Activation) -> None:
        super().__init__()
        self.weight, self.bias = _frozen(linear.weight), _frozen(linear.bias)
        self.activation = activation

    def forward(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        """... c -> ... c'."""
        if other is not None:
            return torch.ops.mkldnn._linear_pointwise.binary(x, other, self.weight, self.bias, "add")
        name, numbers, kind = self.activation
        return torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, name, list(numbers), kind)


def fuse(graph: fx.GraphModule) -> fx.GraphModule:
    """Replace convolutions and linear maps, and the addition and activation function behind them, by fused ones.

    The result is not differentiable.
    """
    order = {node: place for place, node in enumerate(graph.graph.nodes)}
    for number, node in enumerate(list(graph.graph.nodes)):
        map_ = module_of(graph, node, (nn.Conv2d, nn.Linear))
        if map_ is None or not _is_fusable(map_) or _gives_scores(node, map_):
            continue
        chain, other, activation = _followers(graph, node, order)
        name = f"fused_{number}"
        kind = FusedConvolution if isinstance(map_, nn.Conv2d) else FusedLinear
        graph.add_submodule(name, kind(map_, activation))
        with graph.graph.inserting_before(chain[-1]):
            new = graph.graph.call_module(name, (node.args[0],) if other is None else (node.args[0], other))
        order[new] = order[chain[-1]]
        chain[-1].replace_all_uses_with(new)
        for done in reversed(chain):
            graph.graph.erase_node(done)
    return tidy(graph)


def _gives_scores(node: fx.Node, map_: nn.Module) -> bool:
    """Whether a linear map is the network's last step: it is small, and as torch has it scores keep their last digits."""
    return isinstance(map_, nn.Linear) and all(user.op == "output" for user in node.users)


def _is_fusable(map_: nn.Conv2d | nn.Linear) -> bool:
    if isinstance(map_, nn.Linear):
        return True
    return map_.padding_mode == "zeros" and not isinstance(map_.padding, str)


def _followers(
    graph: fx.GraphModule, node: fx.Node, order: dict[fx.Node, int]
) -> tuple[list[fx.Node], fx.Node | None, Activation]:
    """The nodes that become one with this one, itself first; what is added, and the activation function."""
    linear = module_of(graph, node, nn.Linear) is not None
    chain, other, activation = [node], None, NONE
    user = _only_user(node)
    if user is not None and is_addition(user):
        addends = [addend for addend in user.args if addend is not node]
        # The map that comes later takes the sum; the other addend must be there by then.
        if addends and isinstance(addends[0], fx.Node) and order[addends[0]] < order[node]:
            chain, other = [*chain, user], addends[0]
    user = _only_user(chain[-1])
    found = None if user is None else activation_of(graph, user)
    # Behind a sum oneDNN knows the ReLU alone, and behind that of a linear map none.
    if user is not None and found is not None and (other is None or (found[0] == "relu" and not linear)):
        chain, activation = [*chain, user], found
    return chain, other, activation


def _only_user(node: fx.Node) -> fx.Node | None:
    users = list(node.users)
    return users[0] if len(users) == 1 else None


def _frozen(weight: Tensor | None) -> nn.Parameter | None:
    return None if weight is None else nn.Parameter(weight.detach(), requires_grad=False)
