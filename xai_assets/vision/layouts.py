"""What the axes of a layer's output mean: channels first or last, tokens with or without a prefix, vectors.

Convolutional layers give n c h w. Swin's blocks give n h w c, and a vision transformer n t c with class, distillation
and register tokens in front of the patches; mixers turn tokens round to n c t. What a shape can mean is listed here;
which of it is meant is decided in `layout_reader`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt

from torch import Tensor, nn

from xai_assets.vision.spec import LayoutSpec

MOST_PREFIX_TOKENS = 16
"""Class token, distillation token and registers: published models have up to 9 of them."""

USUAL_PREFIXES = (0, 1, 2, 4, 5, 8, 9)
"""Tokens in front of the patches where the network does not say: none, class, distillation, and 4 or 8 registers with and
without the class token. With any number allowed, any number of tokens would have a grid."""

FEWEST_PATCHES = 4
"""Fewer tell no place, and almost any number of tokens leaves one or two."""


@dataclass(frozen=True)
class Layout:
    """Where the channels and the positions of a layer's output are.

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
            tokens = output.transpose(1, 2) if self.channel_axis == -1 else output  # n c t
            return tokens[:, :, self.prefix :].unflatten(2, (self.height, self.width))  # n c t -> n c h w
        return output.movedim(self.channel_axis, 1)


@dataclass(frozen=True)
class Tokens:
    """What a network tells of its tokens.

    Attributes:
        prefix: how many stand in front of the patches where there are any; None where it does not say.
        grid: height and width of the patches that it cuts an image into; None where it does not say.
    """

    prefix: int | None = None
    grid: tuple[int, int] | None = None

    @classmethod
    def of(cls, network: nn.Module) -> "Tokens":
        """As timm's and torchvision's transformers have it."""
        prefix = getattr(network, "num_prefix_tokens", None)
        grid = getattr(getattr(network, "patch_embed", None), "grid_size", None)
        size, patch = getattr(network, "image_size", None), getattr(network, "patch_size", None)
        if grid is None and isinstance(size, int) and isinstance(patch, int):
            grid = (size // patch, size // patch)
        known = isinstance(grid, tuple) and len(grid) == 2 and all(isinstance(side, int) for side in grid)
        return cls(prefix if isinstance(prefix, int) else None, grid if known else None)

    @property
    def prefixes(self) -> tuple[int, ...]:
        """How many tokens may stand in front: in a network that knows it, these or (before they are added) none."""
        if self.prefix is None:
            return USUAL_PREFIXES
        return tuple(dict.fromkeys((self.prefix, 0)))


def readings(shape: tuple[int, ...], image: tuple[int, int], tokens: Tokens) -> list[Layout]:
    """What a layer's output of this shape can mean, the likeliest first; empty where no reading has the image's aspect.

    Args:
        shape: of the output, three or four axes.
        image: height and width of the network's input.
        tokens: what the network tells of its tokens.
    """
    if len(shape) == 4:
        first, last = Layout(1, 0, *shape[2:4]), Layout(-1, 0, *shape[1:3])
        return [layout for layout in (first, last) if _same_aspect((layout.height, layout.width), image)]
    return list(dict.fromkeys([*_of_known_grid(shape, image, tokens), *_of_any_grid(shape, image, tokens)]))


def _of_known_grid(shape: tuple[int, ...], image: tuple[int, int], tokens: Tokens) -> Iterator[Layout]:
    if tokens.grid is None or not _same_aspect(tokens.grid, image):
        return
    for axis, count in ((-1, shape[1]), (1, shape[2])):
        prefix = count - tokens.grid[0] * tokens.grid[1]
        if 0 <= prefix <= MOST_PREFIX_TOKENS:
            yield Layout(axis, prefix, *tokens.grid)


def _of_any_grid(shape: tuple[int, ...], image: tuple[int, int], tokens: Tokens) -> Iterator[Layout]:
    # Tokens last, as mixers have them inside, are looked for only where the usual order has no reading: the width of
    # many transformers is a square number.
    for axis, count, prefixes in ((-1, shape[1], tokens.prefixes), (1, shape[2], (0,))):
        found = [
            Layout(axis, prefix, *grid)
            for prefix in prefixes
            if (grid := _grid(count - prefix, image)) is not None
        ]
        yield from found[:1]
        if found:
            return


def declared(
    spec: LayoutSpec, shape: tuple[int, ...], image: tuple[int, int], tokens: Tokens
) -> Layout | str:
    """The layout that a study declares, for an output of this shape; in words where it cannot be."""
    rank = len(spec.axes)
    if len(shape) != rank:
        return f"has {len(shape)} axes, and `{spec.axes}` names {rank}"
    if rank == 4:
        return Layout(1, 0, *shape[2:4]) if spec.axes == "nchw" else Layout(-1, 0, *shape[1:3])
    axis, count = (-1, shape[1]) if spec.axes == "ntc" else (1, shape[2])
    if spec.grid is not None:
        height, width = spec.grid
        prefix = count - height * width if spec.prefix_tokens is None else spec.prefix_tokens
        if prefix < 0 or prefix + height * width != count:
            return f"has {count} tokens, and {prefix if prefix > 0 else 0} and a grid of {height} x {width} are others"
        return Layout(axis, prefix, height, width)
    for prefix in tokens.prefixes if spec.prefix_tokens is None else (spec.prefix_tokens,):
        grid = _grid(count - prefix, image)
        if grid is not None:
            return Layout(axis, prefix, *grid)
    return f"has {count} tokens, which without those in front fill no grid of the image's aspect: say `grid`"


def _same_aspect(grid: tuple[int, int], image: tuple[int, int]) -> bool:
    """Whether a map of this height and width can be the image shrunk, rounding by up to one cell aside."""
    return abs(grid[0] * image[1] / image[0] - grid[1]) <= 1


def _grid(patches: int, image: tuple[int, int]) -> tuple[int, int] | None:
    """Height and width of so many patches of an image, None if they fill no grid of its aspect."""
    if patches < FEWEST_PATCHES:
        return None
    height = isqrt(round(patches * image[0] / image[1]))
    if image[0] == image[1]:
        return (height, height) if height**2 == patches else None
    for rows in (height, height + 1):
        if rows and patches % rows == 0 and _same_aspect((rows, patches // rows), image):
            return rows, patches // rows
    return None
