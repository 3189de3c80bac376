"""Fitting tensors to a network by torch's own loading code, or saying in which names and shapes they differ."""

import copy
import itertools
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from xai_assets.vision.checkpoint_reading import CheckpointMismatch, listed
from xai_assets.vision.weight_values import check_kinds, converted

REMEDY = "Name the architecture and the number of classes that the checkpoint was trained with."

_SIZES = re.compile(
    r"size mismatch for (\S+): .*?shape torch\.Size\(\[(.*?)\]\).*?is torch\.Size\(\[(.*?)\]\)", re.S
)
"""torch's only word on shapes after its loading hooks have renamed; a test holds it."""

_COUNTER = "num_batches_tracked"
"""BatchNorm's counter, which old checkpoints lack and evaluation never reads."""


@dataclass(frozen=True)
class Differences:
    """How a state dict differs from a network, after torch's loading hooks.

    Attributes:
        missing: names that only the network has; BatchNorm's counter may be missing.
        unexpected: names that only the state dict has.
        shapes: name -> shape in the state dict, shape in the network.
        other: what a module's own loading code said.
    """

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    shapes: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
    other: str = ""

    def __bool__(self) -> bool:
        return self.count > 0

    @property
    def count(self) -> int:
        """How many names differ."""
        return len(self.missing) + len(self.unexpected) + len(self.shapes) + bool(self.other)

    def __str__(self) -> str:
        shapes = [f"{name}: checkpoint {has}, network {wants}" for name, (has, wants) in self.shapes.items()]
        found = [("missing", self.missing), ("unexpected", self.unexpected), ("of another shape", shapes)]
        parts = [f"{len(names)} {what} ({listed(names)})" for what, names in found if names]
        return "; ".join([*parts, *([self.other] if self.other else [])])


@dataclass(frozen=True)
class Trial:
    """A state dict as it would be in a network; nothing is loaded yet.

    Attributes:
        differences: none where it fits.
        tensors: the state dict's own tensors under the network's names.
        source: what `load` hands to torch's loading code.
    """

    differences: Differences
    tensors: Mapping[str, Tensor]
    source: Mapping[str, Tensor]

    def load(self, network: nn.Module, *, name: str) -> None:
        """Load it; values that would become others are refused before the network is changed.

        Raises:
            CheckpointMismatch: as `weight_values.converted` has it.
        """
        own = network.state_dict()
        converted({key: own.get(key, value) for key, value in self.tensors.items()}, self.tensors, name)
        network.load_state_dict(self.source, strict=False)


def fit(network: nn.Module, state: Mapping[str, Tensor], *, name: str) -> None:
    """Load `state` into `network`; half precision becomes the network's own precision.

    BatchNorm's `num_batches_tracked`, which old checkpoints lack and evaluation never reads, may be missing.

    Args:
        network: changed in place, and only if everything fits.
        state: as `read_state_dict` gives it.
        name: what to call the checkpoint in errors, such as its path.

    Raises:
        CheckpointMismatch: missing or unexpected names, other shapes, and values as `converted` refuses them.
    """
    check_kinds(state, name)
    trial = try_on(network, state, getattr(state, "_metadata", None))
    if trial.differences:
        why = f"it does not fit {type(network).__name__}: {trial.differences}"
        raise CheckpointMismatch(name, why, REMEDY)
    trial.load(network, name=name)


def try_on(network: nn.Module, state: Mapping[str, Tensor], metadata: Mapping[str, Any] | None) -> Trial:
    """What would become of a state dict in a network, by torch's own code and the hooks of the network's modules.

    Args:
        network: left as it is.
        state: dense tensors by name.
        metadata: torch's versions of the modules, by path. Where the file has none (safetensors) or they do not fit,
            those of the network are tried, then none, then older ones.
    """
    trial: Trial | None = None
    for versions in itertools.chain([] if metadata is None else [metadata], _versions(network)):
        source: OrderedDict[str, Tensor] = OrderedDict(state)
        source._metadata = versions  # type: ignore[attr-defined]  # where torch keeps them
        later = _try(network, source)
        trial = later if trial is None or later.differences.count < trial.differences.count else trial
        if not trial.differences:
            break
    assert trial is not None
    return trial


def _versions(network: nn.Module) -> Iterator[Mapping[str, Any]]:
    own = network.state_dict()._metadata  # type: ignore[attr-defined]
    yield own
    yield {}
    for version in range(own.get("", {}).get("version", 1) - 1, 0, -1):
        yield {**own, "": {**own[""], "version": version}}


def _try(network: nn.Module, source: "OrderedDict[str, Tensor]") -> Trial:
    # The parameters of a copy on the device meta are replaced by the tensors themselves: no numbers are copied.
    model, state = _without_values(network), OrderedDict(source)
    state._metadata = copy.deepcopy(source._metadata)  # type: ignore[attr-defined]  # torch writes into them
    shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {}
    missing: list[str] = []
    unexpected: list[str] = []
    other = ""

    def hear(_: nn.Module, keys: Any) -> None:
        missing[:], unexpected[:] = keys.missing_keys, keys.unexpected_keys

    model.register_load_state_dict_post_hook(hear)
    try:
        model.load_state_dict(state, strict=False, assign=True)
    except RuntimeError as error:
        shapes = {key: (_shape(has), _shape(wants)) for key, has, wants in _SIZES.findall(str(error))}
        other = "" if shapes else _first_line(error)
    except Exception as error:  # loading hooks are the libraries' code and raise anything on foreign names
        other = _first_line(error)
    placed = {key: value for key, value in model.state_dict().items() if not value.is_meta}
    missing = [key for key in missing if not key.endswith(_COUNTER)]
    return Trial(Differences(tuple(missing), tuple(unexpected), shapes, other), placed, source)


def _without_values(network: nn.Module) -> nn.Module:
    """A copy of a network whose parameters and buffers have no values."""
    memo: dict[int, Any] = {}
    for value in [*network.parameters(), *network.buffers()]:
        empty = torch.empty_like(value, device="meta")
        memo[id(value)] = (
            nn.Parameter(empty, requires_grad=False) if isinstance(value, nn.Parameter) else empty
        )
    return copy.deepcopy(network, memo)


def _shape(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(",") if number.strip())


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
