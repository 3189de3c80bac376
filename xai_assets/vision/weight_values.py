"""Weights as numbers of the network's own kind: what would become other numbers is refused and not converted."""

from collections.abc import Mapping

import torch
from torch import Tensor

from xai_assets.vision.checkpoint_errors import CheckpointMismatch, listed

_AGAIN = "Train it again, or get a whole copy."
_SAVE_DENSE = "Save the weights as dense tensors of floating point numbers."


def check_kinds(state: Mapping[str, Tensor], name: str) -> None:
    """Only dense tensors with values pass.

    Raises:
        CheckpointMismatch: what is no tensor, or a sparse, quantised, nested or meta tensor among `state`; `name` is
            the checkpoint's.
    """
    found = [(key, kind) for key, value in state.items() if (kind := _kind(value)) is not None]
    if found:
        why = listed([f"{key}: {kind}" for key, kind in found])
        raise CheckpointMismatch(name, f"it holds tensors that are no dense weights ({why})", _SAVE_DENSE)


def converted(own: Mapping[str, Tensor], state: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """`state` in the number types of the network's `own` tensors of the same names, every value kept.

    Floating point may become another floating point type; integers and booleans may become one another where no value
    changes, and so may whole floating point numbers (a counter that was saved in half precision).

    Raises:
        CheckpointMismatch: complex numbers, integers or booleans where the network has floating point (as quantised
            weights without their scales), integers that would change, NaN, or an infinity before or after conversion.
    """
    found: dict[str, Tensor] = {}
    unfit, broken = [], []
    for key, value in state.items():
        wanted = own[key].dtype
        if (value.is_complex() and not wanted.is_complex) or (
            _integral(value.dtype) and not _integral(wanted)
        ):
            unfit.append(f"{key}: {_short(value.dtype)}, network {_short(wanted)}")
            continue
        try:
            result = value.to(wanted)
            exact = not _integral(wanted) or bool((result.to(value.dtype) == value).all())
        except (RuntimeError, NotImplementedError):  # types that torch stores and cannot compute with
            unfit.append(f"{key}: {_short(value.dtype)}, network {_short(wanted)}")
            continue
        if not exact:
            unfit.append(f"{key}: values that {_short(wanted)} cannot hold")
        elif not bool(result.isfinite().all()):
            broken.append(key)
        found[key] = result
    if unfit:
        raise CheckpointMismatch(
            name, f"its numbers are of another kind than the network's ({listed(unfit)})", _SAVE_DENSE
        )
    if broken:
        why = f"it holds NaN, infinity, or numbers too large for the network ({listed(broken)})"
        raise CheckpointMismatch(name, why, _AGAIN)
    return found


def _kind(value: object) -> str | None:
    if not isinstance(
        value, Tensor
    ):  # a caller's own mapping, such as NumPy's arrays; files are read as tensors
        return f"{type(value).__name__}, not a tensor"
    if value.is_nested:
        return "nested"
    if value.is_quantized:
        return "quantised"
    if value.is_meta:
        return "without values (device meta)"
    if value.layout is not torch.strided:
        return "sparse"
    return None


def _integral(dtype: torch.dtype) -> bool:
    return not dtype.is_floating_point and not dtype.is_complex


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
