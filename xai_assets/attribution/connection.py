"""Why a layer has no gradient: the class score does not depend on the positions of its map, or autograd cannot see it.

At the output of a vision transformer's last block only the class token goes on: the patches have a gradient of
exactly 0, and every map that weights them by it is blank.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from xai_assets.attribution.capture import gradients, substitute
from xai_assets.attribution.targets import Asked
from xai_assets.errors import XaiError
from xai_assets.vision.layers import get_layer
from xai_assets.vision.layout_reader import LayoutReader, near_layers

NORMS = ("norm1", "ln_1", "norm_1", "attention_norm", "layernorm_before")
"""What transformers call the layer in front of a block's attention, through which every patch reaches the score."""


def without_gradient(
    network: nn.Module, layer: str, images: Tensor, targets: Sequence[Asked], reader: LayoutReader
) -> str | None:
    """Why the gradient is exactly 0 at every position of a layer's map, and what to name instead; None where it is not.

    Args:
        network: in evaluation mode with frozen parameters.
        layer: module path.
        images: n 3 h w.
        targets: one an image.
        reader: of the layer.
    """
    module = get_layer(network, layer)
    output, gradient = gradients(network, module, images, targets)
    if bool(reader.of_maps(output, images).maps(gradient).any()):
        return None
    near = next(_connected(network, layer, images, targets), None)
    remedy = f"Name {near}." if near else "Name a layer before it."
    return f"{_reason(network, module, layer, output, gradient, images)}: its gradient is exactly 0. {remedy}"


def _reason(
    network: nn.Module, module: nn.Module, layer: str, output: Tensor, gradient: Tensor, images: Tensor
) -> str:
    if bool(gradient.any()):
        return f"the class score does not depend on the patches of {layer}, of which only the class token goes on"
    with torch.no_grad():
        calls = 0

        def count(*_: object) -> None:
            nonlocal calls
            calls += 1

        handle = module.register_forward_hook(count)
        try:
            scores = network(images.clone())
        finally:
            handle.remove()
    if torch.equal(
        scores, substitute(network, module, images.clone(), torch.zeros_like(output), calls=calls)
    ):
        return f"the class score does not depend on {layer}"
    return f"the class score depends on {layer}, but the network cuts its gradient off (detach, no_grad, rounding)"


def _connected(network: nn.Module, layer: str, images: Tensor, targets: Sequence[Asked]) -> Iterator[str]:
    """Layers inside or near the layer whose maps have a gradient."""
    inside = [name for name, _ in get_layer(network, layer).named_children() if name in NORMS]
    for path in [*(f"{layer}.{name}" for name in inside), *near_layers(network, layer, images)]:
        try:
            output, gradient = gradients(network, get_layer(network, path), images, targets)
            layout = LayoutReader(network, path).of_maps(output, images)
        except XaiError:  # not a layer of maps: the next one may be
            continue
        if bool(layout.maps(gradient).any()):
            yield path
