"""The names of EfficientNet-PyTorch's checkpoints (`_blocks.3._bn1.weight`), as timm has them.

Its files, and those of the networks that were derived from it, number all blocks through and count the batch norms of a
block from where its expansion would be; timm counts blocks by stage and the norms that are there.
"""

import re
from collections.abc import Iterator, Mapping

from torch import Tensor, nn

_ENDS = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_SQUEEZE = {"_se_reduce": "se.conv_reduce", "_se_expand": "se.conv_expand"}
_EXPANDED = {
    "_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
    "_project_conv": "conv_pwl", "_bn2": "bn3", **_SQUEEZE,
}  # fmt: skip
_PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2", **_SQUEEZE}
"""The first stage's blocks do not expand."""

_OF_BLOCK = re.compile(r"_blocks\.(\d+)\.(\w+)\.(\w+)")
_OF_END = re.compile(r"(\w+)\.(\w+)")


def has_such_names(state: Mapping[str, Tensor]) -> bool:
    """Whether a state dict is of EfficientNet-PyTorch."""
    return {"_conv_stem.weight", "_conv_head.weight"} <= state.keys()


def as_timms(network: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under timm's names; a name that has none keeps its own, so that what does not fit is said.

    Args:
        network: timm's EfficientNet, whose stages say which block is which.
        state: EfficientNet-PyTorch's.
    """
    blocks = list(_blocks(network))

    def renamed(name: str) -> str:
        if found := _OF_BLOCK.fullmatch(name):
            number, part, leaf = int(found[1]), found[2], found[3]
            if number < len(blocks):
                place, parts = blocks[number]
                return f"{place}.{parts[part]}.{leaf}" if part in parts else name
        elif (found := _OF_END.fullmatch(name)) and found[1] in _ENDS:
            return f"{_ENDS[found[1]]}.{found[2]}"
        return name

    return {renamed(name): value for name, value in state.items()}


def _blocks(network: nn.Module) -> Iterator[tuple[str, dict[str, str]]]:
    """The path of each block in the order of the network, and what its parts are called."""
    for stage, blocks in network.get_submodule("blocks").named_children():
        for number, block in blocks.named_children():
            yield f"blocks.{stage}.{number}", _EXPANDED if hasattr(block, "conv_pwl") else _PLAIN
