"""Published weights whose names are not the network's: renamed by the code of the library that published them.

torchvision and timm rename when they load their own files, in functions that `load_state_dict` does not call. They are
called here on the tensors of a file, so that no list of names is kept twice.
"""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn

Renaming = Callable[[nn.Module, dict[str, Tensor]], dict[str, Tensor]]

_BUILDING = threading.Lock()
"""Held while timm's loader is replaced by one that only listens."""


class _Listener:
    """Stands for the network and for the published weights in torchvision's loader, and keeps what it would load."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        self.state = state

    def get_state_dict(self, *_: object, **__: object) -> dict[str, Tensor]:
        return dict(self.state)

    def load_state_dict(self, state: dict[str, Tensor], *_: object, **__: object) -> None:
        self.state = dict(state)


def torchvisions(network: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state as torchvision's loader of this family renames it (DenseNet); the same where it has none."""
    module = type(network).__module__
    load = getattr(sys.modules.get(module), "_load_state_dict", None)
    if load is None or not module.startswith("torchvision.models."):
        return state
    listener = _Listener(state)
    load(model=listener, weights=listener, progress=False)
    return listener.state


def timms(architecture: str, **arguments: Any) -> Renaming | None:
    """timm's filter for the published files of an architecture ("resnet18.a1_in1k"); None where it has none.

    Args:
        architecture: timm's name, with or without a tag.
        arguments: of the builder.
    """
    import timm  # seconds, and only its own networks ask
    from timm.models import _builder

    heard: list[Any] = []

    def listen(model: nn.Module, *_: object, filter_fn: Any = None, **__: object) -> None:
        heard.append(filter_fn)

    with _BUILDING:
        load = _builder.load_pretrained
        _builder.load_pretrained = listen
        try:
            timm.create_model(architecture, pretrained=True, **arguments)
        finally:
            _builder.load_pretrained = load
    found = heard[0] if heard else None
    if found is None:
        return None

    def rename(network: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
        try:
            return dict(found(dict(state), network))
        except TypeError:  # filters of older families take the state alone, as timm's own loader knows
            return dict(found(dict(state)))

    return rename


def resampled(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> bool:
    """Whether a filter has made position embeddings for another image size, which are other weights than the file's."""
    old, new = list(_positions(before)), list(_positions(after))
    return sum(old) != sum(new) and not set(new) <= set(old)


def _positions(state: Mapping[str, Tensor]) -> Iterator[int]:
    """The numbers of values of the position embeddings, whatever they are called."""
    return (
        value.numel()
        for name, value in state.items()
        if "pos" in name and "index" not in name and value.is_floating_point()
    )
