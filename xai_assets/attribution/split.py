"""A network split at a layer: the cheapest way of computing what lies behind it that answers as the network does.

In order: a graph cut at the layer, a replay that skips what is finished before it, full passes. A way is taken
only if it gives the network's own scores, for the layer's own output and for one with a channel taken out; what
was taken, and why what came before was not, is part of every result.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from xai_assets.attribution.capture import Capture, capture, gradients, score_gradient, substitute
from xai_assets.attribution.graph_cut import GraphCut, cut
from xai_assets.attribution.replay import replay
from xai_assets.attribution.targets import Asked
from xai_assets.vision.layers import get_layer
from xai_assets.vision.layout_reader import LayoutReader
from xai_assets.vision.layouts import Layout
from xai_assets.vision.same_scores import agree
from xai_assets.vision.spec import LayoutSpec


@dataclass(frozen=True)
class Behind:
    """What lies behind a layer, for one image.

    Attributes:
        output: the layer's output as it lies in the network (1 ...).
        layout: how it lies.
        evaluate: scores (b k) where the layer gives b other outputs (b ...); it does not write to them.
        gradient: of a target's score with respect to the output, where what lies behind is affine; else None.
        way: "closed form", "graph cut", "replay" or "full passes".
        ablate: scores (b k) where each of b channels becomes one number each (b), in fewer steps; None: there are none.
    """

    output: Tensor
    layout: Layout
    evaluate: Callable[[Tensor], Tensor]
    gradient: Callable[[Asked], Tensor] | None
    way: str
    ablate: Callable[[Tensor, Tensor], Tensor] | None = None


class LayerSplit:
    """A network and one of its layers, prepared for many images. It holds for the weights as they are now.

    Args:
        network: in eval mode with frozen parameters, as `guard.untouched` lends it, at every call.
        layer: module path.
        device: where the network is.
        layout: how the layer's output is to be read; None: it is read off it.

    Raises:
        UnknownLayer: a path that names no module.
    """

    def __init__(
        self, network: nn.Module, layer: str, device: torch.device, layout: LayoutSpec | None = None
    ) -> None:
        self.network, self.layer, self.device = network, layer, device
        self.module = get_layer(network, layer)
        self.reader = LayoutReader(network, layer, layout)
        self.turned_down: list[str] = []
        self._cuts: list[GraphCut] = []
        self._ways: dict[torch.Size, str] = {}

    def behind(self, image: Tensor) -> Behind:
        """Split at one image (1 3 h w, on the network's device).

        Raises:
            AttributionError: the layer is not reached, or gives no tensor.
            LayoutError: it gives no maps of the images, or none that can be read.
        """
        way = self._way(image)
        if way == "graph cut":
            return self._by_cut(image)
        return self._by_replay(image) if way == "replay" else self._by_full_passes(image)

    def gradients(self, images: Tensor, targets: Sequence[Asked]) -> tuple[Tensor, Tensor, Layout]:
        """The layer's output for n 3 h w, the gradient of each image's own target score, and their layout."""
        if self._way(images[:1]) == "graph cut":
            parts = self.parts(images)
            output, frontier = parts.before(images)
            with torch.enable_grad():
                leaf = output.detach().requires_grad_()
                gradient = score_gradient(parts.suffix(leaf, *frontier), leaf, targets)
            output = leaf.detach()
        else:
            output, gradient = gradients(self.network, self.module, images, targets)
        return output, gradient, self._layout(output, images)

    def told(self, images: Tensor) -> dict[str, Any]:
        """Of images of this size (n 3 h w): `way`, and `turned_down`, what spoke against the ways before it."""
        return {"way": self._way(images[:1]), "turned_down": list(self.turned_down)}

    def _way(self, image: Tensor) -> str:
        """The way for images of this size, found with this one."""
        if image.shape not in self._ways:
            # A copy: `images[:1]` shares its memory, and a network may write into its input.
            truth = capture(self.network, self.module, image.clone())
            strongest, ablated = _without_strongest_channel(truth.output, self._layout(truth.output, image))
            wanted = torch.cat(
                [truth.scores, substitute(self.network, self.module, image, ablated, calls=truth.calls)]
            )
            trials = ((way, make) for way, make in self._candidates(image))
            self._ways[image.shape] = next(
                (way for way, make in trials if self._agrees(make, way, truth, strongest, ablated, wanted)),
                "full passes",
            )
        return self._ways[image.shape]

    def _candidates(self, image: Tensor) -> Iterator[tuple[str, Callable[[], Behind]]]:
        yield "graph cut", lambda: self._by_cut(image)
        yield "replay", lambda: self._by_replay(image)

    def _agrees(
        self,
        make: Callable[[], Behind],
        way: str,
        truth: Capture,
        strongest: Tensor,
        ablated: Tensor,
        wanted: Tensor,
    ) -> bool:
        try:
            behind = make()
            found = behind.evaluate(torch.cat([truth.output, ablated]))
            fits = agree(behind.output, truth.output) and agree(found, wanted)
            if behind.ablate is not None:
                fits = fits and agree(behind.ablate(strongest, torch.zeros_like(found[:1, 0])), wanted[1:])
            reason = "other scores than the network's"
        except (
            Exception
        ) as error:  # a network's own code, run in a way it was not written for, may raise anything
            fits, reason = False, f"{type(error).__name__}: {error}".splitlines()[0]
        if not fits:
            self.turned_down.append(f"{way}: {reason[:200]}")
        return fits

    def parts(self, images: Tensor) -> GraphCut:
        """The network cut for images of this size (n 3 h w)."""
        size = tuple(images.shape[2:])
        for found in self._cuts:
            if found.size in (None, size):
                return found
        self._cuts.append(cut(self.network, self.layer, images[:1]))
        return self._cuts[-1]

    def _by_cut(self, image: Tensor) -> Behind:
        parts = self.parts(image)
        output, frontier = parts.before(image)

        def gradient(target: Asked) -> Tensor:
            with torch.enable_grad():
                leaf = output.detach().requires_grad_()
                return score_gradient(parts.suffix(leaf, *frontier), leaf, [target])

        return Behind(
            output,
            self._layout(output, image),
            lambda outputs: parts.behind(outputs, frontier),
            gradient if parts.linear else None,
            "closed form" if parts.linear else "graph cut",
            None if parts.linear else parts.ablating(output, frontier),
        )

    def _by_replay(self, image: Tensor) -> Behind:
        output = capture(self.network, self.module, image).output
        again = replay(self.network, self.layer, image)
        return Behind(output, self._layout(output, image), again, None, "replay")

    def _by_full_passes(self, image: Tensor) -> Behind:
        found = capture(self.network, self.module, image)

        def evaluate(outputs: Tensor) -> Tensor:
            images = image.expand(len(outputs), *image.shape[1:])
            return substitute(self.network, self.module, images, outputs, calls=found.calls)

        return Behind(found.output, self._layout(found.output, image), evaluate, None, "full passes")

    def _layout(self, output: Tensor, images: Tensor) -> Layout:
        return self.reader.of_maps(output, images)


def _without_strongest_channel(output: Tensor, layout: Layout) -> tuple[Tensor, Tensor]:
    """The strongest channel (1, int64), and the output with 0 in its place."""
    ablated = output.clone()
    channels = ablated.movedim(layout.channel_axis, 0)  # a view: c ...
    strongest = channels.flatten(1).abs().amax(dim=1).argmax()
    channels[strongest] = 0
    return strongest[None], ablated
