"""Reading a checkpoint without running what the file may carry: safetensors, or torch's format with plain data only."""

import json
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError  # noqa: TID251 (the name of torch's refusal, nothing else)
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from xai_assets.errors import XaiError

MAX_BYTES = 8 * 2**30  # the largest classifiers have some 2.5 GB of weights
_SHOWN = 8  # names listed; a wrong architecture has hundreds
_NAME_LENGTH = 120


class CheckpointError(XaiError):
    """A weights file that cannot be read, is not what it should be, or holds more than weights."""


class CheckpointMismatch(XaiError):
    """Weights that do not fit the network."""


def read_plain(path: str | Path, *, max_bytes: int = MAX_BYTES) -> Any:
    """What a checkpoint holds: tensors on the CPU by name (safetensors), or whatever plain containers torch saved.

    Raises:
        CheckpointError: missing, larger than `max_bytes` (as a file or unpacked), damaged, of another format,
            or a pickle with anything but tensors and plain containers, which is refused without running it.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(str(path), "there is no such file", "Check the path.")
    _check_size(path, max_bytes)
    return _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)


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


def _brief(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = next(
        (line for line in lines if "GLOBAL" in line or "Unsupported" in line), lines[0] if lines else ""
    )
    return f"{type(error).__name__}: {told[:240]}"


def listed(items: Sequence[object]) -> str:
    """The first few of many names, each cut to a length that a line can hold, and how many more there are."""
    shown = ", ".join(_short(item) for item in items[:_SHOWN])
    return shown if len(items) <= _SHOWN else f"{shown} and {len(items) - _SHOWN} more"


def _short(item: object) -> str:
    if not isinstance(item, str | int | float | bytes):
        return f"a {type(item).__name__}"  # a container's text can be any number of times the file's size
    text = str(item) if isinstance(item, str) else repr(item)
    return text if len(text) <= _NAME_LENGTH else f"{text[:_NAME_LENGTH]}..."
