"""The convolutions that read a layer's output directly, for outputs that differ from one another in one channel each.

A convolution is linear, so where channel k of A becomes a constant v only that channel's part of it changes:

    W * A'  =  W * A  +  W_k * (v - A_k)

W * A is computed once, and the change is one channel's convolution in place of all channels'. What lies behind the
convolutions is evaluated as ever.
"""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from xai_assets.attribution.activation_functions import RELU, activation_of
from xai_assets.attribution.plain_graph import module_of, tidy


@dataclass(frozen=True)
class LinearHeads:
    """The suffix of a network without the convolutions at its start.

    Attributes:
        rest: what lies behind them: their outputs, the layer's output if something else reads it, and the frontier, to
            scores (n k). Not fused yet.
        convolutions: one for each of the first inputs of `rest`.
        relus: whether a ReLU follows each of them, which is then no part of `rest`.
        keeps_output: whether `rest` takes the layer's output as well, behind those of the convolutions.
    """

    rest: fx.GraphModule
    convolutions: tuple[nn.Conv2d, ...]
    relus: tuple[bool, ...]
    keeps_output: bool

    def base(self, output: Tensor) -> list[Tensor]:
        """What each convolution gives for the layer's output (1 c h w), 1 h' w' o."""
        return [convolution(output).permute(0, 2, 3, 1).contiguous() for convolution in self.convolutions]

    def ablated(self, base: list[Tensor], changes: Tensor, channels: Tensor) -> list[Tensor]:
        """What each gives (b o h' w', channels last) where the channels (b) of the output change by b h w."""
        found = []
        for convolution, usual, relu in zip(self.convolutions, base, self.relus, strict=True):
            values = _changed(convolution, usual, changes, channels)
            found.append((values.relu_() if relu else values).permute(0, 3, 1, 2))
        return found


def _changed(convolution: nn.Conv2d, usual: Tensor, changes: Tensor, channels: Tensor) -> Tensor:
    """What the convolution gives usually (1 h' w' o), and the convolution of one channel's change each: b h' w' o."""
    weight = convolution.weight[:, channels]  # o b kh kw
    if convolution.kernel_size == (1, 1) and convolution.padding == (0, 0):
        down, right = convolution.stride
        strided = changes[:, ::down, ::right, None]  # b h' w' 1
        return torch.addcmul(usual, strided, weight[:, :, 0, 0].t()[:, None, None])
    assert not isinstance(convolution.padding, str)  # see _is_head
    columns = F.unfold(
        changes[:, None],
        convolution.kernel_size,
        convolution.dilation,
        convolution.padding,
        convolution.stride,
    )  # b (kh kw) (h' w')
    _, height, width, outputs = usual.shape
    found = torch.baddbmm(
        usual.reshape(1, height * width, outputs), columns.transpose(1, 2), weight.flatten(2).permute(1, 2, 0)
    )  # b (h' w') o
    return found.reshape(-1, height, width, outputs)


def linear_heads(suffix: fx.GraphModule) -> LinearHeads | None:
    """The convolutions at the start of a folded suffix, whose first input is the layer's output; None: there are none."""
    suffix = copy.deepcopy(suffix)
    output = next(node for node in suffix.graph.nodes if node.op == "placeholder")
    readers = [node for node in output.users if _is_head(suffix, node)]
    if not readers:
        return None
    convolutions, relus = [], []
    for number, node in enumerate(readers):
        convolutions.append(suffix.get_submodule(str(node.target)))
        relu = _only_relu(suffix, node)
        relus.append(relu is not None)
        with suffix.graph.inserting_before(output):
            head = suffix.graph.placeholder(f"head_{number}")
        (relu or node).replace_all_uses_with(head)
        for done in (relu, node) if relu is not None else (node,):
            suffix.graph.erase_node(done)
    keeps_output = bool(output.users)
    if not keeps_output:
        suffix.graph.erase_node(output)
    return LinearHeads(tidy(suffix), tuple(convolutions), tuple(relus), keeps_output)  # type: ignore[arg-type]


def _is_head(suffix: fx.GraphModule, node: fx.Node) -> bool:
    convolution = module_of(suffix, node, nn.Conv2d)
    return (
        convolution is not None
        and convolution.groups == 1
        and convolution.padding_mode == "zeros"
        and not isinstance(convolution.padding, str)
    )


def _only_relu(suffix: fx.GraphModule, node: fx.Node) -> fx.Node | None:
    users = list(node.users)
    return users[0] if len(users) == 1 and activation_of(suffix, users[0]) == RELU else None
