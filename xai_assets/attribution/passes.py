"""How a method evaluates the network, in a line for people: by which copy, or what spoke against a quicker one."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from xai_assets.attribution.guard import untouched
from xai_assets.attribution.quick_network import quick_network

QUICK = ("fused", "folded")
"""The copies of a network that are as quick as they can be: on the CPU and on a GPU."""

_COPIES = {
    "fused": "by a copy with batch norm folded and operations fused",
    "folded": "by a copy with batch norm folded",
    "channels last": "by a copy that lies channels last, not fused",
    "as it is": "by the network as it is, the slow way",
}


def of_network(network: nn.Module, image: Tensor) -> tuple[str, bool]:
    """How masked and perturbed copies of an image (1 3 h w, normalised) are evaluated; whether that is quick."""
    with untouched(network):
        _, how = quick_network(network, image)
    return in_words(how), how.partition(" (")[0] in QUICK


def in_words(how: str) -> str:
    """What `quick_network` says of its copy, as a sentence's end: `by a copy ...`, with the reason in brackets."""
    kind, bracket, reason = how.partition(" (")
    return _COPIES.get(kind, kind) + bracket + reason


def of_map(details: Mapping[str, Any]) -> str | None:
    """How a map's forward passes were computed, as its `details` have it; None where they do not say."""
    if "network" in details:
        return f"forward passes {in_words(str(details['network']))}"
    if "way" not in details:
        return None
    refused = "; ".join(details.get("turned_down", ()))
    return f"behind the layer by {details['way']}" + (f" ({refused})" if refused else "")
