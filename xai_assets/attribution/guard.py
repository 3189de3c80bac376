"""Giving a network back exactly as it was, whatever happened to it in between.

grad-cam hooks layers, puts an ablation layer into the network in place of the target layer, clears gradients
and calls `eval()`. When something throws half-way it leaves hooks and the ablation layer behind; its own
context manager also swallows every IndexError. So it is never trusted to clean up.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


@contextmanager
def untouched(network: nn.Module) -> Iterator[nn.Module]:
    """Lend a network out in eval mode with frozen parameters, and take it back as it was, whatever throws.

    Restored: which module stands where, hooks, training flags, `requires_grad` and `.grad` of every
    parameter (`.grad` is None inside, so that nothing can be added to what the owner has gathered). Values
    of parameters and buffers are not copied: in eval mode nothing here writes to them. Inside, cuDNN uses
    deterministic algorithms without TF32, so that a map can be computed again to the byte. Not for use from
    two threads on one network.
    """
    modules = list(network.modules())
    children = [dict(module._modules) for module in modules]
    hooks = [{name: dict(getattr(module, name)) for name in _HOOKS} for module in modules]
    training = [module.training for module in modules]
    parameters = [(parameter, parameter.requires_grad, parameter.grad) for parameter in network.parameters()]
    try:
        network.eval()
        for parameter, _, _ in parameters:
            parameter.requires_grad_(False)
            parameter.grad = None
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            yield network
    finally:
        for module, had, hooked, mode in zip(modules, children, hooks, training, strict=True):
            _refill(module._modules, had)
            for name, before in hooked.items():
                _refill(getattr(module, name), before)
            module.training = mode
        for parameter, requires_grad, grad in parameters:
            parameter.requires_grad_(requires_grad)
            parameter.grad = grad


def _refill(live: dict, before: dict) -> None:
    # In place: torch's hook handles keep a reference to the very dictionary.
    if dict(live) != before or list(live) != list(before):
        live.clear()
        live.update(before)
