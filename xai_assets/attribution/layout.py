"""How a layer's output lies: channels first (convolutions), channels last (Swin), or tokens (ViT).

A class activation map needs n c h w. Convolutional layers give it; Swin's blocks give n h w c, and a vision
transformer n t c with class and register tokens in front of the patches. The layout is read off the shape, by
which reading has the image's aspect; where both have it, channels come first.
"""

from dataclasses import dataclass
from math import isqrt

from torch import Tensor, nn

from xai_assets.attribution.errors import AttributionError

_MOST_PREFIX_TOKENS = 16
"""Class token, distillation token and registers: published models have up to 9 of them."""

_FEWEST_PATCHES = 4
"""Fewer tell no place, and almost any number of tokens leaves one or two."""


@dataclass(frozen=True)
class Layout:
    """Where the channels and the patches of a layer's output are.

    Attributes:
        channel_axis: 1 or -1.
        prefix: tokens in front of the patches; 0 where there are no tokens.
        height: of the map.
        width: of the map.
    """

    channel_axis: int
    prefix: int
    height: int
    width: int

    def maps(self, output: Tensor) -> Tensor:
        """The layer's output, or its gradient, as n c h w (a view where it can be one)."""
        if output.ndim == 3:
            patches = output[:, self.prefix :].transpose(1, 2)  # n t c -> n c t
            return patches.unflatten(2, (self.height, self.width))  # n c t -> n c h w
        return output.movedim(self.channel_axis, 1)


def layout_of(shape: tuple[int, ...], image: tuple[int, ...], network: nn.Module) -> Layout:
    """Read the layout off a layer's output shape.

    Args:
        shape: of the layer's output.
        image: height and width of the network's input.
        network: asked for its number of prefix tokens, where it knows it (timm's transformers do).

    Raises:
        AttributionError: neither n c h w nor n h w c nor n t c with a grid of patches.
    """
    if len(shape) == 4:
        last_is_channel = _same_aspect(shape[1:3], image) and not _same_aspect(shape[2:4], image)
        height, width = shape[1:3] if last_is_channel else shape[2:4]
        return Layout(-1 if last_is_channel else 1, 0, height, width)
    if len(shape) == 3:
        known = getattr(network, "num_prefix_tokens", None)
        for prefix in range(_MOST_PREFIX_TOKENS + 1) if known is None else (known,):
            grid = _grid(shape[1] - prefix, image)
            if grid is not None:
                return Layout(-1, prefix, *grid)
    raise AttributionError(
        "the target layer",
        f"gives shape {tuple(shape)} in the forward pass; a class activation map needs n c h w, n h w c, "
        "or n t c with a grid of patches",
        "Name a convolutional layer such as layer4, or a transformer's block or norm.",
    )


def _same_aspect(grid: tuple[int, ...], image: tuple[int, ...]) -> bool:
    """Whether a map of this height and width can be the image shrunk, rounding by up to one cell aside."""
    return abs(grid[0] * image[1] / image[0] - grid[1]) <= 1


def _grid(patches: int, image: tuple[int, ...]) -> tuple[int, int] | None:
    """Height and width of so many patches of an image, None if they fill no grid of its aspect."""
    if patches < _FEWEST_PATCHES:
        return None
    height = isqrt(round(patches * image[0] / image[1]))
    for rows in (height, height + 1):
        if rows and patches % rows == 0 and _same_aspect((rows, patches // rows), image):
            return rows, patches // rows
    return None
