"""Building a network from its name, with fresh weights that a checkpoint will replace."""

import difflib
from typing import Any

import timm
import torch
import torchvision
from torch import nn

from xai_assets.errors import XaiError
from xai_assets.vision.diorama_net import resnet10

# Trained with auxiliary heads and with inputs re-normalised inside the network; torchvision sets both only
# when it loads its own weights, and a network without them would answer differently from the published one.
_AS_TRAINED: dict[str, dict[str, Any]] = {
    "googlenet": {"transform_input": True, "aux_logits": True, "init_weights": False},
    "inception_v3": {"transform_input": True, "aux_logits": True, "init_weights": False},
}


class UnknownArchitecture(XaiError):
    """No library has an architecture of that name."""


def build(architecture: str, num_classes: int, *, width: int = 32) -> nn.Module:
    """A network of `num_classes` outputs; the global random state is left as it was.

    Args:
        architecture: "torchvision/NAME", "timm/NAME" or "diorama/resnet10".
        num_classes: outputs.
        width: channels of the stem, for diorama/resnet10 only.

    Raises:
        UnknownArchitecture: there is none of that name; the message names close ones.
    """
    library, _, name = architecture.partition("/")
    with torch.random.fork_rng(devices=[]):
        if library == "torchvision":
            _known(architecture, name, torchvision.models.list_models(module=torchvision.models))
            kwargs = _AS_TRAINED.get(name, {})
            return torchvision.models.get_model(name, weights=None, num_classes=num_classes, **kwargs)
        if library == "timm":
            _known(architecture, name, timm.list_models())
            return timm.create_model(name, pretrained=False, num_classes=num_classes)
        _known(architecture, architecture, ["diorama/resnet10"])
        return resnet10(width, num_classes)


def _known(architecture: str, name: str, names: list[str]) -> None:
    if name in names:
        return
    close = difflib.get_close_matches(name, names, n=5, cutoff=0.5)
    remedy = (
        f"Did you mean {' or '.join(close)}?" if close else "Name one of torchvision/, timm/ or diorama/."
    )
    raise UnknownArchitecture(f"the architecture {architecture!r}", "there is none of that name", remedy)
