"""The image size that a transformer's position embeddings were trained for."""

from collections.abc import Mapping
from math import isqrt
from typing import Any

from torch import nn

_MOST_PREFIX_TOKENS = 16


def trained_size(
    network: nn.Module, shapes: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
) -> str | None:
    """The builder's argument that makes the network of a checkpoint's size, such as "img_size: 160".

    Args:
        network: of the size that does not fit.
        shapes: of a checkpoint and of the network, by name, where they differ.

    Returns:
        None where position embeddings are not all that differs, or do not tell the size of a square image.
    """
    positions = [pair for name, pair in shapes.items() if "pos" in name]
    if not positions or len(positions) != len(shapes):
        return None
    patch = _side(getattr(getattr(network, "patch_embed", None), "patch_size", None))
    patch = patch or _side(getattr(network, "patch_size", None))
    if patch is None:
        return None
    for has, wants in positions:
        if len(has) != 3 or has[-1] != wants[-1]:
            continue
        prefix = _prefix(wants[1])
        side = isqrt(max(0, has[1] - prefix)) if prefix is not None else 0
        if side and side**2 + (prefix or 0) == has[1]:
            argument = "image_size" if type(network).__module__.startswith("torchvision.") else "img_size"
            return f"{argument}: {side * patch}"
    return None


def _side(size: Any) -> int | None:
    if isinstance(size, (tuple, list)):
        size = size[0] if len(set(size)) == 1 else None
    return size if isinstance(size, int) else None


def _prefix(tokens: int) -> int | None:
    """Class and register tokens among so many, of which the rest is a square."""
    return next((n for n in range(_MOST_PREFIX_TOKENS + 1) if isqrt(tokens - n) ** 2 == tokens - n), None)
