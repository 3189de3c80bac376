"""Which layers of a network a class activation map can be made of, and the one that is taken where none is named.

The default is the last layer whose output has places: the last one before the positions are pooled. There are two
exceptions, both published advice (Gildenblat et al., `pytorch-grad-cam`, README, "Choosing the target layer"):

- In a transformer it is the norm in front of the last block's attention (`norm1`, `ln_1`). Behind the last block of a
  network that classifies by its class token, the patches have a gradient of exactly 0.
- Where the last map's channels are the classes themselves and the score is their mean (SqueezeNet), it is the last
  layer before: the class map has one channel a class, and no features.

The rule looks at one forward and one backward pass of noise, whose size is that of the model's input. It does not look
at images, so that all images of a study are explained at the same layer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from xai_assets.attribution.connection import NORMS
from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.guard import untouched
from xai_assets.attribution.score import negative_share
from xai_assets.errors import XaiError
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.layout_reader import LayoutReader
from xai_assets.vision.layouts import FEWEST_PATCHES, Layout, Tokens, readings

Kind = Literal["map", "tokens", "vector"]

SIDE = 224
"""Height and width of the noise for a network that takes images of any size."""

IMAGES = 2
"""With one image, an axis of length 1 would be taken for the batch."""

_known: WeakKeyDictionary[nn.Module, str] = WeakKeyDictionary()

_CONVOLUTIONS = (nn.modules.conv._ConvNd,)


@dataclass(frozen=True)
class CandidateLayer:
    """A layer of a network, as it answers to noise.

    Attributes:
        path: module path; of several layers that give the very same tensor the outermost one.
        module: name of its class.
        kind: `map` (n c h w or n h w c), `tokens` (n t c or n c t with a grid) or `vector` (n c, or one position).
        channels: of its output.
        height, width: of its grid; 1 for vectors.
        connected: whether the class score has a gradient at its positions; None where no gradient can be taken.
        negative: share of the output's energy in negative values, 0..1; ScoreCAM reads the lowest value as absence.
    """

    path: str
    module: str
    kind: Kind
    channels: int
    height: int
    width: int
    connected: bool | None
    negative: float

    @property
    def spatial(self) -> bool:
        """Whether a map can be made of it."""
        return self.kind != "vector"


def default_layer(network: nn.Module, size: tuple[int, int] = (SIDE, SIDE)) -> str:
    """The target layer to take where none is named, see above.

    Args:
        network: gives scores (n k) for images (n 3 h w); it is left as it was.
        size: height and width of its input.

    Raises:
        AttributionError: no layer has positions; or the network does not take noise of that size.
    """
    with _Pass(network, size) as seen:
        return _default(seen)


def layer_of(classifier: Classifier) -> str:
    """The layer that is taken of a classifier where none is named; asked once a network.

    Raises:
        AttributionError: as `default_layer`.
    """
    if classifier.network not in _known:
        side = classifier.preprocessing.spec.side or SIDE
        _known[classifier.network] = default_layer(classifier.network, (side, side))
    return _known[classifier.network]


def candidate_layers(
    network: nn.Module, size: tuple[int, int] = (SIDE, SIDE)
) -> tuple[list[CandidateLayer], str | None]:
    """Every layer whose output can be read, in the order in which they finish, and the default (None: there is none).

    Args and errors as of `default_layer`.
    """
    with _Pass(network, size) as seen:
        found = [seen.candidate(index) for index in range(len(seen.paths))]
        try:
            default = _default(seen)
        except AttributionError:
            default = None
    return [one for one in found if one is not None], default


def blocks(network: nn.Module, layers: Sequence[CandidateLayer], default: str | None) -> list[CandidateLayer]:
    """Of many layers those that people choose from: blocks and what holds them, not the insides of a block."""
    holders = {path for path, module in network.named_modules() if not path or _holds_blocks(module)}

    def shown(path: str) -> bool:
        parts = path.split(".")
        return all(".".join(parts[:count]) in holders for count in range(len(parts)))

    return [one for one in layers if shown(one.path) or one.path == default]


def _holds_blocks(module: nn.Module) -> bool:
    """Whether a module is a row of parts, or has one as a child: a stage, an encoder."""
    if isinstance(module, (nn.Sequential, nn.ModuleList)):
        return True
    rows = [child for child in module.children() if isinstance(child, (nn.Sequential, nn.ModuleList))]
    return any(len(row) > 1 and len({type(part) for part in row}) == 1 for row in rows)


class _Pass:
    """One pass of noise through a network, with the output of every layer and the score's gradient there.

    Attributes:
        paths: of layers that give a tensor, in the order in which they finish; the outermost of those that share one.
    """

    def __init__(self, network: nn.Module, size: tuple[int, int]) -> None:
        self.network, self.size = network, size
        self.paths: list[str] = []
        self._outputs: list[Tensor] = []
        self._layouts: dict[int, Layout | None] = {}
        self._tokens = Tokens.of(network)

    def __enter__(self) -> "_Pass":
        self._lent = untouched(self.network)
        self._lent.__enter__()
        try:
            self._run()
        except BaseException as error:
            self._lent.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        self._outputs.clear()
        self._lent.__exit__(*raised)  # type: ignore[arg-type]

    def _run(self) -> None:
        device = next((value.device for value in self.network.parameters()), torch.device("cpu"))
        noise = torch.randn(IMAGES, 3, *self.size, generator=torch.Generator().manual_seed(0)).to(device)
        found: dict[str, Tensor] = {}

        def listen(path: str, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
            def keep(_: nn.Module, __: object, output: object) -> None:
                found.pop(path, None)  # a layer that is called several times is taken at its last call
                if isinstance(output, Tensor):
                    found[path] = output

            return module.register_forward_hook(keep)

        handles = [listen(path, module) for path, module in self.network.named_modules() if path]
        with torch.inference_mode(False), torch.enable_grad():
            self.images = noise.detach()
            try:
                self.scores = self.network(noise.clone().requires_grad_())
            except (RuntimeError, ValueError, TypeError, AssertionError, IndexError) as error:
                raise AttributionError(
                    type(self.network).__name__,
                    f"it does not take images of {self.size[1]} x {self.size[0]} pixels ({str(error)[:200]})",
                    "Give the size of its input.",
                ) from error
            finally:
                for handle in handles:
                    handle.remove()
        if not isinstance(self.scores, Tensor) or self.scores.ndim != 2 or len(self.scores) != IMAGES:
            said = tuple(self.scores.shape) if isinstance(self.scores, Tensor) else type(self.scores).__name__
            raise AttributionError(
                type(self.network).__name__,
                f"it answers {said}, not scores (images, classes)",
                "Wrap it in a module whose forward gives the scores alone.",
            )
        outermost: dict[int, str] = {}
        for path, output in found.items():
            known = outermost.get(id(output))
            if known is None or path.count(".") < known.count("."):
                outermost[id(output)] = path
        order = {path: number for number, path in enumerate(found)}
        self.paths = sorted(outermost.values(), key=order.__getitem__)
        self._outputs = [found[path] for path in self.paths]
        self._gradients = self._score_gradients()

    def _score_gradients(self) -> list[Tensor | None] | None:
        """The gradient of each image's highest score at each layer; None where autograd cannot tell."""
        if not self.scores.requires_grad:
            return None
        with_gradient = [output for output in self._outputs if output.requires_grad]
        try:
            found = iter(torch.autograd.grad(self.scores.amax(dim=1).sum(), with_gradient, allow_unused=True))
        except RuntimeError:  # written over in place, or a function without a gradient
            return None
        return [next(found) if output.requires_grad else None for output in self._outputs]

    def layout(self, index: int) -> Layout | None:
        """How a layer's output is read; None where it has no positions, or cannot be read."""
        if index not in self._layouts:
            self._layouts[index] = self._read(index)
        return self._layouts[index]

    def _read(self, index: int) -> Layout | None:
        output = self._outputs[index]
        if output.ndim not in (3, 4) or len(output) != IMAGES or output.shape[1] == 1:
            return None
        found = readings(tuple(output.shape), self.size, self._tokens)
        if output.ndim == 4 and len(found) > 1:
            try:
                layout = LayoutReader(self.network, self.paths[index])(output.detach(), self.images)
            except XaiError:
                return None
        else:
            layout = found[0] if found else None
        return layout if layout and layout.height * layout.width >= FEWEST_PATCHES else None

    def maps(self, index: int) -> Tensor:
        """A spatial layer's output as n c h w."""
        layout = self.layout(index)
        assert layout is not None
        return layout.maps(self._outputs[index].detach())

    def connected(self, index: int) -> bool | None:
        """Whether the score has a gradient at a spatial layer's positions."""
        layout = self.layout(index)
        if self._gradients is None or layout is None:
            return None
        gradient = self._gradients[index]
        return gradient is not None and bool(layout.maps(gradient).any())

    def candidate(self, index: int) -> CandidateLayer | None:
        """The layer, for people; None where its output cannot be read."""
        layout, output = self.layout(index), self._outputs[index].detach()
        module = type(self.network.get_submodule(self.paths[index])).__name__
        if layout is None:
            channels = _vector(output)
            negative = negative_share(output)
            path = self.paths[index]
            if channels is None:
                return None
            return CandidateLayer(path, module, "vector", channels, 1, 1, None, negative)
        maps = self.maps(index)
        return CandidateLayer(
            self.paths[index],
            module,
            "tokens" if output.ndim == 3 else "map",
            maps.shape[1],
            layout.height,
            layout.width,
            self.connected(index),
            negative_share(maps),
        )


def _vector(output: Tensor) -> int | None:
    """The channels of an output of one value a channel and image: n c, n 1 c, n c 1 1; None where it is none."""
    if len(output) != IMAGES or output.ndim < 2 or output[0].numel() != max(output.shape[1:]):
        return None
    return max(output.shape[1:])


def _default(seen: _Pass) -> str:
    spatial = [index for index in range(len(seen.paths)) if not _pools(seen, index) and seen.layout(index)]
    features = _without_class_maps(seen, spatial)
    if not features:
        raise AttributionError(
            f"a target layer of {type(seen.network).__name__}",
            "no layer has an output with positions that can be read",
            "Name one, with its `layout` where its axes cannot be told.",
        )
    connected = [index for index in features if seen.connected(index)]
    usable = connected or features  # a head that starts at 0 gives no layer a gradient
    norm = _norm_of_last_attention(seen, features)
    return seen.paths[norm if norm in usable else usable[-1]]


def _pools(seen: _Pass, index: int) -> bool:
    """Whether a layer is a pooling to a size of its own, such as VGG's to 7 x 7 behind its last features."""
    return "Adaptive" in type(seen.network.get_submodule(seen.paths[index])).__name__


def _without_class_maps(seen: _Pass, spatial: list[int]) -> list[int]:
    if not spatial:
        return []
    classes, last = seen.scores.shape[1], seen.maps(spatial[-1])
    if last.shape[1] != classes or not torch.allclose(
        last.mean(dim=(2, 3)), seen.scores.detach(), atol=1e-4, rtol=1e-3
    ):
        return spatial
    return [index for index in spatial if seen.maps(index).shape[1] != classes]


def _norm_of_last_attention(seen: _Pass, features: list[int]) -> int | None:
    """The norm in front of the last attention, where no convolution follows that block, and the grid is the last one."""
    for index in reversed(features):
        block, _, name = seen.paths[index].rpartition(".")
        if name not in NORMS or not _attends(seen.network.get_submodule(block)):
            continue
        follows = any(_convolves(seen, path, block) for path in seen.paths[index + 1 :])
        same_grid = seen.maps(index).shape[2:] == seen.maps(features[-1]).shape[2:]
        return index if same_grid and not follows else None
    return None


def _convolves(seen: _Pass, path: str, block: str) -> bool:
    return not path.startswith(f"{block}.") and isinstance(seen.network.get_submodule(path), _CONVOLUTIONS)


def _attends(block: nn.Module) -> bool:
    return any(
        "attn" in name.lower() or "attention" in f"{name} {type(child).__name__}".lower()
        for name, child in block.named_children()
    )


def suited(layer: CandidateLayer, signed_above: float) -> Iterator[str]:
    """What a layer is good for, in words."""
    if not layer.spatial:
        yield "no map (dissection only)"
    elif layer.connected is False:
        yield "no gradient at its positions: eigencam only"
    elif layer.negative > signed_above:
        yield "all but scorecam (negative values)"
    else:
        yield "all"
