"""Finding a layer of a network by its path."""

import difflib

from torch import nn

from xai_assets.errors import XaiError

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
    close = difflib.get_close_matches(path, paths, n=_SHOWN, cutoff=0.6)
    top = [name for name, _ in network.named_children()]
    remedy = (
        f"Its layers are {', '.join(top)} and what stands below them, such as {paths[-1]}." if top else ""
    )
    if close:
        remedy = f"Did you mean {' or '.join(close)}? {remedy}"
    raise UnknownLayer(
        f"the layer {path!r}", f"{type(network).__name__} has no submodule of that path", remedy.strip()
    )
