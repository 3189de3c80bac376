"""Finding a layer of a network by its path."""

from torch import nn

from xai_assets.errors import XaiError
from xai_assets.suggest import did_you_mean

_SHOWN = 6


class UnknownLayer(XaiError):
    """A network has no layer of that path."""


def get_layer(network: nn.Module, path: str) -> nn.Module:
    """The submodule at a dotted path such as "layer4" or "layer4.0.conv2", or "features.7" for a Sequential.

    Raises:
        UnknownLayer: there is none; the message names paths that are spelt nearly so, and the top ones.
    """
    paths = [name for name, _ in network.named_modules() if name]
    if path in paths:
        return network.get_submodule(path)
    top = [name for name, _ in network.named_children()]
    remedy = (
        f"Its layers are {', '.join(top)} and what stands below them, such as {paths[-1]}." if top else ""
    )
    remedy = f"{did_you_mean(path, paths, most=_SHOWN)} {remedy}"
    raise UnknownLayer(
        f"the layer {path!r}", f"{type(network).__name__} has no submodule of that path", remedy.strip()
    )
