"""The state dict of a checkpoint, wherever it stands in the file, and fitting it to a network or saying why not."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from xai_assets.vision.checkpoint_reading import (
    MAX_BYTES,
    CheckpointError,
    CheckpointMismatch,
    listed,
    metadata_list,
    read_metadata,
    read_plain,
)
from xai_assets.vision.weight_values import check_kinds, converted

__all__ = [
    "CheckpointError",
    "CheckpointMismatch",
    "fit",
    "metadata_list",
    "read_metadata",
    "read_state_dict",
]

_CONTAINERS = ("state_dict", "model_state_dict", "model")
_WRAPPERS = ("module.", "_orig_mod.")  # DataParallel's and torch.compile's


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
    own = network.state_dict()
    check_kinds(state, name)
    missing = [key for key in own if key not in state and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in state if key not in own]
    shapes = [
        f"{key}: checkpoint {tuple(state[key].shape)}, network {tuple(own[key].shape)}"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    found = [("missing", missing), ("unexpected", unexpected), ("of another shape", shapes)]
    if any(keys for _, keys in found):
        why = "; ".join(f"{len(keys)} {what} ({listed(keys)})" for what, keys in found if keys)
        raise CheckpointMismatch(
            name,
            f"it does not fit {type(network).__name__}: {why}",
            "Name the architecture and the number of classes that the checkpoint was trained with.",
        )
    network.load_state_dict({**own, **converted(own, state, name)})


def _not_weights(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        str(path), f"it holds {what} where a state dict was expected", "Save model.state_dict() alone."
    )
