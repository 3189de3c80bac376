"""What the axes of a layer's output mean: convolutional maps, tokens, vectors."""

from typing import Literal

from torch import Tensor

from xai_assets.errors import XaiError

Kind = Literal["map", "tokens", "vector"]


def positions(output: Tensor, layer: str, *, square: bool = True) -> tuple[Kind, Tensor]:
    """A layer's output as units at positions.

    - (n, u, h, w): a convolutional map. Where the second and third axes are equal and the last is not, as in
      torchvision's Swin transformers, the channels are last: (n, h, w, u).
    - (n, t, d): t tokens of d units. Where t - 1 is a square number the first is the class token and is left out,
      so that what is pooled are the patches; where t is a square all are patches; otherwise all count. A square
      number of patches of a square picture is a map of them, row by row.
    - (n, u): a vector; one position.

    Args:
        output: of the layer.
        layer: its path, for errors.
        square: the network's input is as high as wide.

    Returns:
        The kind, and float32 (n, u, h, w) for maps and for tokens on a grid, (n, u, t) for other tokens, (n, u, 1)
        for vectors.

    Raises:
        XaiError: any other rank.
    """
    values = output.detach().float()
    if values.ndim == 4:
        _, second, third, last = values.shape
        if second == third != last:
            values = values.permute(0, 3, 1, 2)  # n h w u -> n u h w
        return "map", values
    if values.ndim == 3:
        tokens = values.shape[1]
        first = 1 if tokens > 1 and _square(tokens - 1) and not _square(tokens) else 0
        values = values[:, first:].transpose(1, 2)  # n t d -> n d t
        if square and _square(tokens - first):
            side = round((tokens - first) ** 0.5)
            values = values.unflatten(2, (side, side))  # n d t -> n d h w
        return "tokens", values
    if values.ndim == 2:
        return "vector", values[:, :, None]
    raise XaiError(
        f"the layer {layer!r}",
        f"its output has shape {tuple(values.shape)}, which is neither a map "
        "(n u h w), nor tokens (n t d), nor a vector (n u)",
        "Name a layer before or after it.",
    )


def _square(number: int) -> bool:
    return round(number**0.5) ** 2 == number
