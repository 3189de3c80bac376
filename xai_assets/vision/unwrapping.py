"""Where in a checkpoint's containers the weights of a network are, and which prefix their names have.

Nothing is decided here: all places are listed that may hold the network, and `checkpoints` tries which of them fit.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

_DEPTH = 4
"""Containers inside containers that are looked into; published files have up to two."""

_CONTAINERS = 10_000
"""Containers that are looked into: an optimizer's state has one for each parameter."""

_PREFIXES = 4
"""Prefixes of one state dict that are worth a try: the ones that most of the network's names have."""


@dataclass(frozen=True)
class Place:
    """Tensors of a checkpoint that may be the weights of a network.

    Attributes:
        container: the keys that lead to the state dict; none where it is the file's own.
        prefix: what was removed from the front of every name, such as "module.".
        tensors: by name without the prefix.
        metadata: torch's versions of the modules, by path without the prefix; None where the file has none.
        beside: names of the same state dict that do not have the prefix.
        matches: how many names of the network are among them.
    """

    container: tuple[str, ...]
    prefix: str
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, Any] | None
    beside: tuple[str, ...]
    matches: int

    @property
    def key(self) -> str:
        """How a study names the place in `checkpoint_key`, such as "model_ema" or "state_dict.teacher"."""
        return ".".join((*self.container, *self.prefix.split("."))).strip(".")


def places(loaded: object, own: Sequence[str]) -> list[Place]:
    """All places that may hold the network with these names, the likeliest first.

    Args:
        loaded: what a checkpoint holds, as `read_plain` gives it.
        own: the names of the network's own state dict.
    """
    found = [
        place
        for container, tensors, metadata in state_dicts(loaded)
        for place in _of_prefixes(container, tensors, metadata, own)
    ]
    return sorted(found, key=lambda place: -place.matches)  # stable: of equals the first in the file


def state_dicts(
    loaded: object,
) -> Iterator[tuple[tuple[str, ...], dict[str, Tensor], Mapping[str, Any] | None]]:
    """The mappings of names to tensors in nested containers: the keys that lead there, the tensors, torch's versions.

    What else is in these mappings (epochs, arguments, optimizers) is passed over.
    """
    waiting: list[tuple[tuple[str, ...], object]] = [((), loaded)]
    for _ in range(_CONTAINERS):
        if not waiting:
            return
        container, node = waiting.pop(0)
        if not isinstance(node, Mapping):
            continue
        tensors = {
            name: value for name, value in node.items() if isinstance(name, str) and isinstance(value, Tensor)
        }
        if tensors:
            metadata = getattr(node, "_metadata", None)
            yield container, tensors, metadata if isinstance(metadata, Mapping) else None
        if len(container) < _DEPTH:
            waiting += [
                ((*container, name), value)
                for name, value in node.items()
                if isinstance(name, str) and isinstance(value, Mapping)
            ]


def _of_prefixes(
    container: tuple[str, ...],
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, Any] | None,
    own: Sequence[str],
) -> Iterator[Place]:
    names = set(own)
    counts: Counter[str] = Counter()
    for name in tensors:
        parts = name.split(".")
        for start in range(len(parts)):
            if ".".join(parts[start:]) in names:
                counts[".".join(parts[:start]) + "." if start else ""] += 1
    likely = [prefix for prefix, _ in counts.most_common(_PREFIXES)]
    for prefix in dict.fromkeys([*likely, ""]):
        inside = {
            name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)
        }
        beside = tuple(name for name in tensors if not name.startswith(prefix))
        yield Place(container, prefix, inside, _without(metadata, prefix), beside, counts[prefix])


def _without(metadata: Mapping[str, Any] | None, prefix: str) -> Mapping[str, Any] | None:
    """Versions by module path, for paths behind the prefix: "module" and "module.fc" become "" and "fc"."""
    if metadata is None or not prefix:
        return metadata
    root = prefix.removesuffix(".")
    found = {path.removeprefix(prefix): value for path, value in metadata.items() if path.startswith(prefix)}
    return {"": metadata[root], **found} if root in metadata else found or None
