"""The weights of a network out of a checkpoint: which of its state dicts fit, and loading it or saying why none does."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from xai_assets.suggest import did_you_mean
from xai_assets.vision.checkpoint_reading import (
    MAX_BYTES,
    CheckpointError,
    CheckpointMismatch,
    listed,
    metadata_list,
    read_metadata,
    read_plain,
)
from xai_assets.vision.fitting import REMEDY, Trial, fit, try_on
from xai_assets.vision.input_sizes import trained_size
from xai_assets.vision.published_names import Renaming, resampled, torchvisions
from xai_assets.vision.unwrapping import Place, places
from xai_assets.vision.weight_values import check_kinds

__all__ = [
    "CheckpointError",
    "CheckpointMismatch",
    "Taken",
    "fit",
    "load_weights",
    "metadata_list",
    "read_metadata",
    "read_state_dict",
]

_CONTAINERS = ("state_dict", "model_state_dict", "model")
_WRAPPERS = ("module.", "_orig_mod.")  # DataParallel's and torch.compile's

_SHARE = 0.2
"""A place with fewer of the network's names than this share of the best place's is not tried."""

_MOST_TRIED = 12
"""Places that are tried: a file with more of them is no checkpoint of one network."""


@dataclass(frozen=True)
class Taken:
    """Which tensors of a checkpoint the network got.

    Attributes:
        container: where in the file, such as "model_ema"; "" where the file is the state dict.
        prefix: that was removed from every name.
        beside: names of the same state dict that were left out.
        others: other places of the file that fit as well, with equal weights.
        renamed: whether published names had to be translated.
    """

    container: str = ""
    prefix: str = ""
    beside: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    renamed: bool = False

    def __str__(self) -> str:
        """In words, "" where the file is the state dict and nothing was removed."""
        said = [f"the weights are under {self.container!r}"] if self.container else []
        said += [f"their prefix {self.prefix!r} was removed"] if self.prefix else []
        said += ["its published names were translated into the network's"] if self.renamed else []
        said += [f"left out: {listed(self.beside)}"] if self.beside else []
        said += [f"the same weights are under {listed(self.others)}"] if self.others else []
        return "; ".join(said)


def read_state_dict(path: str | Path, *, max_bytes: int = MAX_BYTES) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU: safetensors, or torch's format, weights only.

    A state dict may stand in the file alone or under "state_dict", "model_state_dict" or "model". Where every
    name has the prefix of DataParallel ("module.") or torch.compile ("_orig_mod."), it is removed.

    Raises:
        CheckpointError: missing, larger than `max_bytes` (as a file or unpacked), damaged, of another format,
            or a pickle with anything but tensors and plain containers, which is refused without running it.
    """
    path = Path(path)
    loaded = read_plain(path, max_bytes=max_bytes)
    for container in _CONTAINERS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(container), Mapping):
            loaded = loaded[container]
            break
    if not isinstance(loaded, Mapping) or not loaded:
        raise _not_weights(
            path, f"a {type(loaded).__name__}" if not isinstance(loaded, Mapping) else "nothing"
        )
    others = [
        key for key, value in loaded.items() if not isinstance(key, str) or not isinstance(value, Tensor)
    ]
    if others:
        raise _not_weights(path, f"other things than tensors ({listed(others)})")
    state: dict[str, Tensor] = dict(loaded)
    for prefix in _WRAPPERS:
        if all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def load_weights(
    network: nn.Module,
    loaded: object,
    *,
    name: str,
    key: str | None = None,
    renaming: Renaming | None = None,
    classes: tuple[int, str] | None = None,
) -> Taken:
    """Load the weights of a checkpoint into a network, wherever in the file they are; says which were taken.

    They may be in nested containers ("model_ema", "state_dict"), with any common prefix ("module.", "model."), and have
    the names that torchvision and timm publish them with: whatever fits the network by torch's own loading code is it.

    Args:
        network: changed in place, and only if something fits.
        loaded: what the file holds, as `read_plain` gives it.
        name: what to call the checkpoint in errors, such as its path.
        key: the place to take, such as "model_ema"; needed only where several fit and differ.
        renaming: what translates published names, tried where nothing fits without it.
        classes: how many classes the study has, and what says so (a file of names), for errors.

    Raises:
        CheckpointError: no tensors in it, or none under `key`.
        CheckpointMismatch: nothing fits, or several places fit and hold other weights.
    """
    own = list(network.state_dict())
    found = places(loaded, own)
    if not found:
        what = f"only {listed(list(loaded))}" if isinstance(loaded, Mapping) and loaded else "no tensors"
        raise _not_weights(Path(name), what)
    found = _under(found, key, name) if key is not None else _worth_trying(found)
    check_kinds(found[0].tensors, name)
    tried = [(place, _tried(network, place)) for place in found]
    renamed = False
    if renaming is not None and all(trial.differences for _, trial in tried):
        again = [(place, _tried(network, place, renaming)) for place in found]
        renamed = not all(trial.differences for _, trial in again)
        tried = again if renamed else tried
    fitting = [(place, trial) for place, trial in tried if not trial.differences]
    if not fitting:
        place, trial = min(tried, key=lambda pair: pair[1].differences.count)
        raise _mismatch(network, place, trial, name, classes)
    place, trial = _the_one(fitting, name)
    trial.load(network, name=name)
    others = tuple(other.key or "the file itself" for other, _ in fitting if other is not place)
    return Taken(".".join(place.container), place.prefix, place.beside, others, renamed)


def _under(found: Sequence[Place], key: str, name: str) -> list[Place]:
    chosen = [place for place in found if key in (place.key, ".".join(place.container))]
    if not chosen:
        keys = list(dict.fromkeys(place.key for place in found if place.key))
        raise CheckpointError(
            name,
            f"it has no weights under {key!r}, which `checkpoint_key` names",
            f"It has {listed(keys) or 'one state dict without a key'}.{did_you_mean(key, keys)}",
        )
    return chosen


def _worth_trying(found: Sequence[Place]) -> list[Place]:
    return [place for place in found if place.matches >= _SHARE * found[0].matches][:_MOST_TRIED]


def _tried(network: nn.Module, place: Place, renaming: Renaming | None = None) -> Trial:
    state, metadata = torchvisions(network, dict(place.tensors)), place.metadata
    if renaming is not None:
        try:
            renamed = renaming(network, state)
        except (
            Exception
        ):  # timm's code on a file that it was not written for: what does not fit is said without it
            renamed = state
        if not resampled(state, renamed):
            state, metadata = renamed, None
    return try_on(network, state, metadata)


def _the_one(fitting: Sequence[tuple[Place, Trial]], name: str) -> tuple[Place, Trial]:
    first = fitting[0]
    different = [place for place, trial in fitting[1:] if not _equal(trial, first[1])]
    if different:
        keys = [place.key or "(the file itself)" for place in (first[0], *different)]
        raise CheckpointMismatch(
            name,
            f"it holds several sets of weights that fit and differ: {listed(keys)}",
            f"Say which is meant, such as `checkpoint_key: {keys[-1]}`.",
        )
    return first


def _equal(left: Trial, right: Trial) -> bool:
    return left.tensors.keys() == right.tensors.keys() and all(
        value.dtype == right.tensors[key].dtype and torch.equal(value, right.tensors[key])
        for key, value in left.tensors.items()
    )


def _mismatch(
    network: nn.Module, place: Place, trial: Trial, name: str, classes: tuple[int, str] | None
) -> CheckpointMismatch:
    where = ", ".join(_where(place))
    why = f"it does not fit {type(network).__name__}: {trial.differences}"
    if where:
        why += f" (looked at {where})"
    outputs = _outputs(trial)
    if outputs is not None and classes is not None:
        why = f"it has {outputs} outputs, and {classes[1]} gives {classes[0]} classes; {why}"
        remedy = "Give one class for each output, in the order that it was trained with."
        if outputs == 1:
            remedy = (
                "A single output is the sigmoid of two classes, the negative one first: say `num_classes: 1`."
            )
        return CheckpointMismatch(name, why, remedy)
    return CheckpointMismatch(name, why, _remedy(network, trial))


def _outputs(trial: Trial) -> int | None:
    """How many outputs the checkpoint has, where the number of outputs is all that differs."""
    pairs = list(trial.differences.shapes.values())
    alike = trial.differences.count == len(pairs) and all(
        has and wants and has[1:] == wants[1:] for has, wants in pairs
    )
    found, wanted = {has[0] for has, _ in pairs if has}, {wants[0] for _, wants in pairs if wants}
    return found.pop() if alike and len(found) == len(wanted) == 1 else None


def _where(place: Place) -> Iterator[str]:
    if place.container:
        yield f"what is under {'.'.join(place.container)!r}"
    if place.prefix:
        yield f"the names behind the prefix {place.prefix!r}"
    elif shared := _shared_prefix(list(place.tensors)):
        yield f"names that all have the prefix {shared!r}"


def _shared_prefix(names: Sequence[str]) -> str:
    first = names[0].partition(".")[0] + "."
    return first if len(names) > 1 and all(name.startswith(first) for name in names) else ""


def _remedy(network: nn.Module, trial: Trial) -> str:
    size = trained_size(network, trial.differences.shapes)
    if size is not None:
        return (
            f"The checkpoint was trained at another image size: `arguments: {{{size}}}`, and `size` of the "
            "preprocessing likewise."
        )
    return REMEDY


def _not_weights(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        str(path), f"it holds {what} where a state dict was expected", "Save model.state_dict() alone."
    )
