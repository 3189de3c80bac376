"""Whether a network that is run in another way still gives its own scores."""

import copy

import torch
from torch import Tensor, nn

TOLERANCE = 1e-4
"""The largest difference from the network's own scores, a share of the largest score. Folding batch norm makes
about 1e-6; a wrong graph, orders more."""


def agree(found: Tensor, wanted: Tensor) -> bool:
    """Whether two answers differ by rounding only; values that are not finite must be so in both."""
    if found.shape != wanted.shape:
        return False
    finite = wanted[wanted.isfinite()]
    scale = finite.abs().max().item() if finite.numel() else 0.0
    return torch.allclose(found, wanted, rtol=0, atol=TOLERANCE * scale + 1e-12, equal_nan=True)


def channels_last_or_as_usual(network: nn.Module, image: Tensor) -> torch.memory_format:
    """How weights and images lie best: channels last on a CPU, if the network gives its own scores that way too.

    On a GPU, cuDNN turns around what lies channels last, without TF32.

    Args:
        network: in evaluation mode; it is left as it is.
        image: 1 3 h w.
    """
    if image.device.type != "cpu":
        return torch.contiguous_format
    pair = torch.cat([image, image / 2])
    with torch.no_grad():
        wanted = network(pair.clone())
        try:
            other = copy.deepcopy(network).to(memory_format=torch.channels_last)
            found = other(pair.contiguous(memory_format=torch.channels_last))
        except RuntimeError:  # code that asks for the usual layout, as `Tensor.view` does
            return torch.contiguous_format
    return torch.channels_last if agree(found, wanted) else torch.contiguous_format
