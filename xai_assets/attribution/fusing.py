"""The same network in fewer steps: batch norm folded into convolutions, channels last, fused convolutions.

Folding multiplies a batch norm's scale into the convolution before it, which changes the last digits (about 1e-6
of a score). On a CPU, oneDNN then adds the residual and takes the ReLU inside the convolution, which saves the
memory traffic that eager torch spends half of its time on. These are the operators that torch's own compiler
emits; they are torch's private ones, so whoever uses a fused graph compares it with the network first.
"""

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from xai_assets.attribution.plain_graph import is_addition, module_of, tidy

_NOTHING_IN_EVAL = (nn.Dropout, nn.Dropout2d, nn.Identity)


def fold(graph: fx.GraphModule) -> fx.GraphModule:
    """Fold every batch norm that alone follows a convolution into it, and put weights channels last."""
    times: dict[str, int] = {}
    for node in graph.graph.nodes:
        if node.op == "call_module":
            times[str(node.target)] = times.get(str(node.target), 0) + 1
    for node in list(graph.graph.nodes):
        if module_of(graph, node, _NOTHING_IN_EVAL) is not None:
            node.replace_all_uses_with(node.args[0])
            graph.graph.erase_node(node)
            continue
        norm = module_of(graph, node, nn.BatchNorm2d)
        before = node.args[0] if norm is not None and node.args else None
        if not isinstance(before, fx.Node) or len(before.users) != 1 or norm.running_mean is None:
            continue
        convolution = module_of(graph, before, nn.Conv2d)
        if convolution is not None and times[str(before.target)] == 1:  # shared weights belong to others too
            graph.add_submodule(str(before.target), fuse_conv_bn_eval(convolution, norm))
            node.replace_all_uses_with(before)
            graph.graph.erase_node(node)
    for module in graph.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)
    return tidy(graph)


def can_fuse(device: torch.device) -> bool:
    """Whether oneDNN's fused convolutions are here."""
    return (
        device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
    )


class FusedConvolution(nn.Module):
    """Convolution, then an addition where `other` is given, then a ReLU where `relu`: one pass over memory."""

    def __init__(self, convolution: nn.Conv2d, *, relu: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(convolution.weight.detach(), requires_grad=False)
        self.bias = (
            None if convolution.bias is None else nn.Parameter(convolution.bias.detach(), requires_grad=False)
        )
        self.padding, self.stride = convolution.padding, convolution.stride
        self.dilation, self.groups = convolution.dilation, convolution.groups
        self.relu = relu

    def forward(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        """n c h w -> n c' h' w'."""
        shape = (self.padding, self.stride, self.dilation, self.groups)
        if other is None:
            return torch.ops.mkldnn._convolution_pointwise(
                x, self.weight, self.bias, *shape, "relu" if self.relu else "none", [], ""
            )
        return torch.ops.mkldnn._convolution_pointwise.binary(
            x, other, self.weight, self.bias, *shape, "add", None, "relu" if self.relu else None, [], None
        )


def fuse(graph: fx.GraphModule) -> fx.GraphModule:
    """Replace convolutions, with the residual and the ReLU that follow them, by fused ones. Not differentiable."""
    order = {node: place for place, node in enumerate(graph.graph.nodes)}
    for number, node in enumerate(list(graph.graph.nodes)):
        convolution = module_of(graph, node, nn.Conv2d)
        if convolution is None or convolution.padding_mode != "zeros" or isinstance(convolution.padding, str):
            continue
        chain, other = [node], None
        user = _only_user(node)
        if user is not None and is_addition(user):
            addends = [addend for addend in user.args if addend is not node]
            # The convolution that comes later takes the sum; the other addend must be there by then.
            if addends and isinstance(addends[0], fx.Node) and order[addends[0]] < order[node]:
                chain, other = [*chain, user], addends[0]
        user = _only_user(chain[-1])
        relu = user is not None and _is_relu(graph, user)
        if relu and user is not None:
            chain = [*chain, user]
        name = f"fused_{number}"
        graph.add_submodule(name, FusedConvolution(convolution, relu=relu))
        with graph.graph.inserting_before(chain[-1]):
            new = graph.graph.call_module(name, (node.args[0],) if other is None else (node.args[0], other))
        order[new] = order[chain[-1]]
        chain[-1].replace_all_uses_with(new)
        for done in reversed(chain):
            graph.graph.erase_node(done)
    return tidy(graph)


def _only_user(node: fx.Node) -> fx.Node | None:
    users = list(node.users)
    return users[0] if len(users) == 1 else None


def _is_relu(graph: fx.GraphModule, node: fx.Node) -> bool:
    if node.op == "call_function":
        return node.target in (F.relu, torch.relu)
    return module_of(graph, node, nn.ReLU) is not None or (node.op == "call_method" and node.target == "relu")
