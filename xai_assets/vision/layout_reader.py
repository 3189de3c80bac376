"""How a layer's output is to be read, decided once for attribution, dissection and `xai check`.

In order: what the study declares (`layout:`), the one reading of the shape that has the image's aspect, the kind of the
module, and a pass with an image of another shape, in which the spatial axes change. What remains open is asked for.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from xai_assets.errors import XaiError
from xai_assets.vision.layers import get_layer
from xai_assets.vision.layouts import FEWEST_PATCHES, Layout, Tokens, declared, readings
from xai_assets.vision.spec import LayoutSpec

_NEAR = 2
"""Layers that are suggested instead of an unfit one."""

_FIRST = (nn.modules.conv._ConvNd, nn.modules.batchnorm._BatchNorm, nn.GroupNorm)
"""Modules whose output has the channels first."""

_LAST = (nn.LayerNorm, nn.Linear)
"""Modules whose output has the channels last."""


class LayoutError(XaiError):
    """A layer whose output cannot be read as maps or vectors of its images."""


class LayoutReader:
    """How the output of one layer of a network is to be read.

    Args:
        network: in evaluation mode.
        layer: module path.
        spec: what the study declares; None: it is read off the output.

    Raises:
        UnknownLayer: a path that names no module.
    """

    def __init__(self, network: nn.Module, layer: str, spec: LayoutSpec | None = None) -> None:
        self._network, self._layer, self._spec = network, layer, spec
        self._module = get_layer(network, layer)
        self._tokens = Tokens.of(network)
        self._known: dict[tuple[tuple[int, ...], tuple[int, int]], Layout | None] = {}

    def __call__(self, output: object, images: Tensor) -> Layout | None:
        """The layout of what the layer gave for `images` (n 3 h w); None where it is a vector an image (n c, n 1 c).

        Raises:
            LayoutError: no tensor; another number of rows than images; axes that cannot be told from the shape.
        """
        if not isinstance(output, Tensor):
            raise self._unfit(
                f"it gives a {type(output).__name__}, not one tensor",
                images,
                "Name a layer inside or behind it",
            )
        shape, size = tuple(output.shape), (images.shape[-2], images.shape[-1])
        if not shape or shape[0] != len(images):
            raise self._unfit(
                f"it gives {_rows(shape, len(images))}: it changes the batch axis, as windows of a transformer do, so "
                "that its rows are not images",
                images,
                "Name a layer around it",
            )
        key = shape[1:], size
        if key not in self._known:
            self._known[key] = self._read(shape, size, images)
        return self._known[key]

    def of_maps(self, output: object, images: Tensor) -> Layout:
        """As a call; a layer of vectors, which have no places for a map, is refused.

        Raises:
            LayoutError: as a call.
        """
        layout = self(output, images)
        if layout is None:
            assert isinstance(output, Tensor)
            raise self._unfit(
                f"it gives vectors (shape {tuple(output.shape)}): no positions, so that there is no map of them",
                images,
                "Name a layer before it",
            )
        return layout

    def _read(self, shape: tuple[int, ...], size: tuple[int, int], images: Tensor) -> Layout | None:
        if len(shape) == 2 or (len(shape) == 3 and shape[1] == 1):
            return None
        if self._spec is not None:
            found = declared(self._spec, shape, size, self._tokens)
            if isinstance(found, str):
                raise LayoutError(
                    self._what, f"its output of shape {shape} {found}", "Correct the study's `layout`."
                )
            return found
        if len(shape) not in (3, 4):
            raise self._unfit(
                f"it gives shape {shape}, which is neither n c h w, n h w c, n t c nor n c",
                images,
                "Name a layer near it",
            )
        found_all = readings(shape, size, self._tokens)
        if len(shape) == 3 and found_all:
            return found_all[0]
        if len(found_all) == 1:
            return found_all[0]
        if shape[2:] == (1, 1):  # behind a global pooling; of an elongated image no reading has the aspect
            return Layout(1, 0, 1, 1)
        axis = (
            (self._axis_of_module() or self._axis_by_another_size(shape, images)) if len(shape) == 4 else None
        )
        if axis == -1 and not found_all:  # windows and their tokens: MaxViT's attention has them as two axes
            axis = None
        if axis is not None:
            return Layout(axis, 0, *(shape[2:4] if axis == 1 else shape[1:3]))
        raise self._open(shape, size, bool(found_all), images)

    def _axis_of_module(self) -> int | None:
        if isinstance(self._module, _FIRST) or type(self._module).__name__.endswith("Pool2d"):
            return 1
        return -1 if isinstance(self._module, _LAST) else None

    def _axis_by_another_size(self, shape: tuple[int, ...], images: Tensor) -> int | None:
        """The axis that keeps its length when the image becomes twice as wide; None where the network takes no such."""
        wider = torch.cat([images[:1], images[:1]], dim=3)  # 1 3 h w -> 1 3 h 2w
        try:
            output = outputs_of(self._network, [self._layer], wider).get(self._layer)
        except (
            Exception
        ):  # a network may take one size only, and says so in whatever way; then nothing is learned
            return None
        if not isinstance(output, Tensor) or output.ndim != 4:
            return None
        same = [before == after for before, after in zip(shape[1:], output.shape[1:], strict=True)]
        return 1 if same == [True, True, False] else -1 if same == [True, False, True] else None

    def _open(
        self, shape: tuple[int, ...], size: tuple[int, int], several: bool, images: Tensor
    ) -> LayoutError:
        if len(shape) == 4:
            why = (
                f"its output of shape {shape} can be {shape[1]} channels first or {shape[3]} channels last"
                if several
                else f"its output of shape {shape} has in no order the aspect of the image ({size[0]} x {size[1]}): "
                "it may be windows of a transformer"
            )
            ask = "`layout: nchw` or `layout: nhwc`"
        else:
            why = (
                f"its output of shape {shape} is no grid of patches of an image of {size[0]} x {size[1]}, "
                f"whichever axis has the tokens (at least {FEWEST_PATCHES})"
            )
            ask = "`layout: {axes: ntc, prefix_tokens: 1, grid: [14, 14]}` with the numbers of this layer"
        near = near_layers(self._network, self._layer, images)
        other = f"another layer{', such as ' + ' or '.join(near) if near else ''}"
        return LayoutError(self._what, why, f"Say in the study how to read it: {ask}; or name {other}.")

    def _unfit(self, why: str, images: Tensor, remedy: str) -> LayoutError:
        near = near_layers(self._network, self._layer, images)
        return LayoutError(self._what, why, f"{remedy}{', such as ' + ' or '.join(near) if near else ''}.")

    @property
    def _what(self) -> str:
        return f"the layer {self._layer!r}"


def _rows(shape: tuple[int, ...], images: int) -> str:
    """How many rows there are, in words that are the same for one image and for many where they can be."""
    rows = shape[0] if shape else 0
    if rows and rows % images == 0:
        return f"{rows // images} rows for each image"
    return f"{rows or 'no'} rows for {images} image{'s' if images > 1 else ''}"


def outputs_of(network: nn.Module, layers: Sequence[str], images: Tensor) -> dict[str, object]:
    """What layers give in one pass, by path, in the order in which they finish; without those that are not reached."""
    found: dict[str, object] = {}

    def hook(path: str) -> object:
        def keep(_: nn.Module, __: object, output: object) -> None:
            found.pop(path, None)
            found[path] = output

        return keep

    handles = [network.get_submodule(path).register_forward_hook(hook(path)) for path in layers]  # type: ignore[arg-type]
    try:
        with torch.no_grad():
            network(images.clone())
    finally:
        for handle in handles:
            handle.remove()
    return found


def near_layers(network: nn.Module, layer: str, images: Tensor) -> list[str]:
    """Paths of layers close to one whose outputs are maps of these images: around it first, then before and behind it."""
    paths = [path for path, _ in network.named_modules() if path]
    found = outputs_of(network, paths, torch.cat([images[:1], images[:1]]))
    order = list(found)
    tokens, size = Tokens.of(network), (images.shape[-2], images.shape[-1])
    fit = [path for path, output in found.items() if _is_map(output, size, tokens)]
    at = order.index(layer) if layer in order else len(order)
    around = [path for path in fit if layer.startswith(f"{path}.")]
    others = [path for path in fit if path not in around and path != layer]
    others = [
        path for path in others if path.count(".") <= layer.count(".") + 1
    ] or others  # blocks, not their insides
    others.sort(key=lambda path: abs(order.index(path) - at))
    return [*sorted(around, key=len, reverse=True), *others][:_NEAR]


def _is_map(output: object, size: tuple[int, int], tokens: Tokens) -> bool:
    if not isinstance(output, Tensor) or output.ndim not in (3, 4) or len(output) != 2:
        return False
    found = readings(tuple(output.shape), size, tokens)
    return any(layout.height * layout.width >= FEWEST_PATCHES for layout in found)


def units_of(
    network: nn.Module, layers: Sequence[str], images: Tensor, specs: Sequence[LayoutSpec | None]
) -> Iterator[tuple[int, Layout | None]]:
    """The channels of each layer, and how its output is to be read; None for vectors.

    Args:
        network: in evaluation mode.
        layers: module paths.
        images: n 3 h w; with three of them no other axis is taken for the batch.
        specs: what the study declares of each layer.

    Raises:
        UnknownLayer: a path that names no module.
        LayoutError: a layer that is not reached, or whose output cannot be read.
    """
    readers = [LayoutReader(network, layer, spec) for layer, spec in zip(layers, specs, strict=True)]
    found = outputs_of(network, layers, images)
    for layer, reader in zip(layers, readers, strict=True):
        if layer not in found:
            raise LayoutError(
                f"the layer {layer!r}", "it is not reached when an image is classified", "Name another layer."
            )
        layout, output = reader(found[layer], images), found[layer]
        assert isinstance(output, Tensor)
        yield output.shape[-1 if layout is None else layout.channel_axis], layout
