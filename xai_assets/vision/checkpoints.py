"""Reading weights without running what a file may carry, and fitting them to a network or saying why not."""

import json
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError  # noqa: TID251 (the name of torch's refusal, nothing else)
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from xai_assets.errors import XaiError

MAX_BYTES = 8 * 2**30  # the largest classifiers have some 2.5 GB of weights
_SHOWN = 8  # differences listed of each kind; a wrong architecture has hundreds
_CONTAINERS = ("state_dict", "model_state_dict", "model")
_WRAPPERS = ("module.", "_orig_mod.")  # DataParallel's and torch.compile's


class CheckpointError(XaiError):
    """A weights file that cannot be read, is not what it should be, or holds more than weights."""


class CheckpointMismatch(XaiError):
    """Weights that do not fit the network."""


def read_state_dict(path: str | Path, *, max_bytes: int = MAX_BYTES) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU: safetensors, or torch's format, weights only.

    A state dict may stand in the file alone or under "state_dict", "model_state_dict" or "model". Where every
    name has the prefix of DataParallel ("module.") or torch.compile ("_orig_mod."), it is removed.

    Raises:
        CheckpointError: missing, larger than `max_bytes` (as a file or unpacked), damaged, of another format,
            or a pickle with anything but tensors and plain containers, which is refused without running it.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(str(path), "there is no such file", "Check the path.")
    _check_size(path, max_bytes)
    loaded = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
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
        raise _not_weights(path, f"other things than tensors ({_listed(others)})")
    state: dict[str, Tensor] = dict(loaded)
    for prefix in _WRAPPERS:
        if all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def read_metadata(path: str | Path) -> dict[str, str]:
    """The metadata of a safetensors file, empty where it has none. Raises as `read_state_dict` does."""
    try:
        with safe_open(str(path), framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise _damaged(Path(path), error) from error


def metadata_list(path: str | Path, key: str) -> tuple[str, ...]:
    """A JSON list of strings in the metadata of a safetensors file.

    Raises:
        CheckpointError: the file has no such entry, or it is something else.
    """
    text = read_metadata(path).get(key)
    try:
        value = json.loads(text) if text is not None else None
    except json.JSONDecodeError:
        value = None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise CheckpointError(
            str(path), f"its metadata has no list of strings under {key!r}", "Make the file again."
        )
    return tuple(value)


def fit(network: nn.Module, state: Mapping[str, Tensor], *, name: str) -> None:
    """Load `state` into `network`; half precision becomes the network's own precision.

    BatchNorm's `num_batches_tracked`, which old checkpoints lack and evaluation never reads, may be missing.

    Args:
        network: changed in place, and only if everything fits.
        state: as `read_state_dict` gives it.
        name: what to call the checkpoint in errors, such as its path.

    Raises:
        CheckpointMismatch: missing or unexpected names, other shapes, or values that are not finite.
    """
    own = network.state_dict()
    missing = [key for key in own if key not in state and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in state if key not in own]
    shapes = [
        f"{key}: checkpoint {tuple(state[key].shape)}, network {tuple(own[key].shape)}"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    found = [("missing", missing), ("unexpected", unexpected), ("of another shape", shapes)]
    if any(keys for _, keys in found):
        why = "; ".join(f"{len(keys)} {what} ({_listed(keys)})" for what, keys in found if keys)
        raise CheckpointMismatch(
            name,
            f"it does not fit {type(network).__name__}: {why}",
            "Name the architecture and the number of classes that the checkpoint was trained with.",
        )
    broken = [key for key, value in state.items() if value.is_floating_point() and not value.isfinite().all()]
    if broken:
        raise CheckpointMismatch(
            name, f"it holds NaN or infinity ({_listed(broken)})", "Train it again, or get a whole copy."
        )
    network.load_state_dict({**own, **state})


def _check_size(path: Path, max_bytes: int) -> None:
    size = path.stat().st_size
    if zipfile.is_zipfile(path):  # torch stores without compression; a crafted file need not
        try:
            with zipfile.ZipFile(path) as archive:
                size = max(size, sum(entry.file_size for entry in archive.infolist()))
        except zipfile.BadZipFile as error:
            raise _damaged(path, error) from error
    if size > max_bytes:
        raise CheckpointError(
            str(path), f"it has {size:,} bytes, more than {max_bytes:,}", "Save the weights alone."
        )
    if size == 0:
        raise CheckpointError(str(path), "the file is empty", "Get a whole copy of it.")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(str(path), framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError) as error:
        raise _damaged(path, error) from error


def _read_torch(path: Path) -> Any:
    try:
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except UnicodeDecodeError:
            return _read_torch_of_python_2(path)
    except UnpicklingError as error:
        raise CheckpointError(
            str(path),
            f"it is no plain torch checkpoint, or it asks to run code, which is refused ({_brief(error)})",
            "Where you trust the file, save its weights alone: torch.save(model.state_dict(), ...).",
        ) from error
    except Exception as error:  # torch's reader raises almost anything on damaged files
        raise _damaged(path, error) from error


def _read_torch_of_python_2(path: Path) -> Any:
    """Checkpoints of Python 2, as Places365 published its own, carry byte strings that need not be UTF-8."""
    with warnings.catch_warnings():
        # torch warns that `encoding` is ignored here; a test holds that it is not.
        warnings.filterwarnings("ignore", message="pickle_load_args")
        return torch.load(path, map_location="cpu", weights_only=True, encoding="latin1")


def _damaged(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        str(path), f"it is damaged or of another format ({_brief(error)})", "Get a whole copy."
    )


def _not_weights(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        str(path), f"it holds {what} where a state dict was expected", "Save model.state_dict() alone."
    )


def _brief(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = next(
        (line for line in lines if "GLOBAL" in line or "Unsupported" in line), lines[0] if lines else ""
    )
    return f"{type(error).__name__}: {told[:240]}"


def _listed(items: list[Any]) -> str:
    shown = ", ".join(str(item) for item in items[:_SHOWN])
    return shown if len(items) <= _SHOWN else f"{shown} and {len(items) - _SHOWN} more"
