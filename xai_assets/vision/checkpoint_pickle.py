"""The pickle of a torch checkpoint, read as data: tensors over the file's storages in plain containers.

`torch.load` is not used. Of the functions that torch's format calls to rebuild tensors, this reader knows by name what
they mean and does it itself; every other name is refused. A tensor is a view of a storage that the file has, and may
not claim more values than that holds, so that memory is bounded by the size of the file.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from xai_assets.interop.plain_pickle import PickleMachine
from xai_assets.vision.checkpoint_errors import CheckpointError

MAX_DIMENSIONS = 64  # as many as torch has

MAX_COPIED = 20_000_000
"""Values that calls may copy in all: a call of four bytes can refer to any value of the file."""

_STORAGES = {
    "FloatStorage": torch.float32, "DoubleStorage": torch.float64, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8, "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64, "ComplexDoubleStorage": torch.complex128, "UntypedStorage": torch.uint8,
}  # fmt: skip
_STORAGE_MODULES = ("torch", "torch.cuda", "torch.storage")
_DTYPES = {f"torch.{name}": value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}
_TENSORS = ("torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter", "torch.nn.Parameter")
_NO_DENSE = {
    "torch._utils._rebuild_sparse_tensor": "a sparse tensor",
    "torch._utils._rebuild_sparse_csr_tensor": "a sparse tensor",
    "torch._utils._rebuild_qtensor": "a quantised tensor",
    "torch._utils._rebuild_nested_tensor": "a nested tensor",
    "torch._utils._rebuild_meta_tensor_no_storage": "a tensor without values (device meta)",
    "torch._utils._rebuild_wrapper_subclass": "a tensor of a subclass",
    "torch._utils._rebuild_device_tensor_from_numpy": "a tensor of a device that is not known here",
}
_SAVE_ALONE = "Where you trust the file, save its weights alone: torch.save(model.state_dict(), ...)."
_SAVE_DENSE = "Save the weights as dense tensors of floating point numbers."


@dataclass(frozen=True)
class Name:
    """A class or function that the file names; never looked up."""

    full: str


@dataclass(frozen=True)
class Stored:
    """Bytes of the file as numbers of one type."""

    data: torch.UntypedStorage
    dtype: torch.dtype


class CheckpointMachine(PickleMachine):
    """A machine for plain data that knows tensors as well.

    Time is bounded by the size of the pickle, MAX_COPIED and the limits of `PickleMachine`; memory by the storages.

    Args:
        name: what to call the file in errors.
        storage: gives the storage of a key that has at least so many bytes, or raises CheckpointError.
    """

    max_memo = 2_000_000  # twelve a tensor
    simpler = "save its weights alone: torch.save(model.state_dict(), ...)."

    def __init__(self, name: str, storage: Callable[[str, int], torch.UntypedStorage]) -> None:
        super().__init__(name)
        self.storage = storage
        self._copied = 0
        self._calls: dict[str, Callable[..., Any]] = {
            "collections.OrderedDict": self._ordered,
            "collections.Counter": self._ordered,
            "torch.Size": self._size,
            "torch.device": lambda kind, *_: kind,
            "_codecs.encode": self._encoded,
            **dict.fromkeys(("builtins.bytearray", "__builtin__.bytearray"), self._encoded),
            **dict.fromkeys(("builtins.bytes", "__builtin__.bytes"), self._encoded),
            **dict.fromkeys(("builtins.set", "__builtin__.set"), self._list),
            **dict.fromkeys(("builtins.complex", "__builtin__.complex"), complex),
            "torch._utils._rebuild_tensor": self._tensor,
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_tensor_v3": self._tensor_of_bytes,
            "torch._utils._rebuild_parameter": self._parameter,
            "torch._utils._rebuild_parameter_with_state": self._parameter,
            "torch._utils._rebuild_device_tensor_from_cpu_tensor": self._parameter,
            "torch.nn.parameter.Parameter": self._parameter,
            "torch._tensor._rebuild_from_type_v2": self._of_type,
        }

    def other(self, instruction: str, argument: Any) -> None:
        """Names, calls of the functions that are known, storages and sets."""
        if instruction == "GLOBAL":
            self.stack.append(self._named(*argument.split(" ", 1)))
        elif instruction == "STACK_GLOBAL":
            module, name = self.top(2)
            if not isinstance(module, str) or not isinstance(name, str):
                raise self._senseless("a name that is no text")
            self.stack.append(self._named(module, name))
        elif instruction in ("REDUCE", "NEWOBJ"):
            function, arguments = self.top(2)
            self.stack.append(self._call(function, arguments))
        elif instruction == "BUILD":
            self._build_state(*self.top(1))
        elif instruction == "BINPERSID":
            self.stack.append(self._stored(*self.top(1)))
        elif instruction == "BYTEARRAY8":
            self.stack.append(bytes(argument))
        elif instruction == "EMPTY_SET":
            self.stack.append([])
        elif instruction == "ADDITEMS":
            self._extend(self.marked())
        else:
            super().other(instruction, argument)

    def text_of_python_2(self, text: str) -> None:
        """Names of weights are ASCII in any case; other text is beside them."""
        self.stack.append(text)

    def _named(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full in _DTYPES:
            return _DTYPES[full]
        storage = module in _STORAGE_MODULES and name in _STORAGES
        if not storage and full not in self._calls and full not in _TENSORS:
            if full in _NO_DENSE:
                raise CheckpointError(self.name, f"it holds {_NO_DENSE[full]}", _SAVE_DENSE)
            raise self._code(full)
        return Name(full)

    def _code(self, name: str) -> CheckpointError:
        why = f"it holds more than weights: rebuilding {name[:120]!r} would run code, which is refused"
        return CheckpointError(self.name, why, _SAVE_ALONE)

    def _call(self, function: Any, arguments: Any) -> Any:
        known = self._calls.get(function.full) if isinstance(function, Name) else None
        if known is None or not isinstance(arguments, tuple):
            raise self._code(function.full if isinstance(function, Name) else type(function).__name__)
        try:
            return known(*arguments)
        except (TypeError, ValueError, RuntimeError, LookupError, ArithmeticError) as error:
            raise self._senseless(f"{function.full} of {len(arguments)} values") from error

    def _build_state(self, state: Any) -> None:
        """The state of an object: of a state dict, torch keeps the versions of its modules in it."""
        target = self.stack[-1] if self.stack else None
        if not isinstance(target, OrderedDict) or not isinstance(state, dict):
            raise self._code(f"a {type(target).__name__} with a state")
        metadata = state.get("_metadata")
        if isinstance(metadata, dict):
            target._metadata = OrderedDict(  # type: ignore[attr-defined]
                (name, {"version": of["version"]})
                for name, of in self._copy(metadata).items()
                if isinstance(of, dict) and type(of.get("version")) is int
            )

    def _copy(self, values: Any) -> Any:
        """The same values, which a call copies; refused beyond MAX_COPIED in all."""
        if not isinstance(values, list | tuple | dict | str):
            raise self._senseless(f"a {type(values).__name__} as the argument of a call")
        self._copied += len(values)
        if self._copied > MAX_COPIED:
            raise self.refuse(f"calls that copy more than {MAX_COPIED:,} values")
        return values

    def _size(self, sizes: Any = ()) -> tuple[Any, ...]:
        return tuple(self._copy(sizes))

    def _ordered(self, pairs: Any = ()) -> OrderedDict[Any, Any]:
        pairs = self._copy(pairs)
        flat = list(pairs.items()) if isinstance(pairs, dict) else list(pairs)
        found: OrderedDict[Any, Any] = OrderedDict()
        self.fill(found, [part for pair in flat for part in (pair[0], pair[1])])
        return found

    def _list(self, values: Any = ()) -> list[Any]:
        return list(self._copy(values))

    def _encoded(self, text: Any = "", encoding: Any = "latin-1") -> bytes:
        if isinstance(text, bytes):  # of a bytearray
            return bytes(text)
        if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
            raise self._senseless("a text that is encoded otherwise than bytes are")
        return str(self._copy(text)).encode("latin-1")

    def _stored(self, claim: Any) -> Stored:
        """`("storage", type, key, location, number of values[, view])`, as torch numbers the storages of a file."""
        if not isinstance(claim, tuple) or len(claim) not in (5, 6) or claim[0] != "storage":
            raise self._senseless("a reference to something else than a storage")
        _, kind, key, location, count = claim[:5]
        dtype = _STORAGES.get(kind.full.rpartition(".")[2]) if isinstance(kind, Name) else None
        if dtype is None or not isinstance(key, str | int) or type(count) is not int or count < 0:
            raise self._senseless("a storage without a type, a name or a size")
        if location == "meta":
            raise CheckpointError(self.name, "it holds tensors without values (device meta)", _SAVE_DENSE)
        data = self.storage(str(key), count * dtype.itemsize)
        view = claim[5] if len(claim) == 6 else None
        if view is not None:
            data = self._part(data, dtype, view)
        return Stored(data, dtype)

    def _part(self, data: torch.UntypedStorage, dtype: torch.dtype, view: Any) -> torch.UntypedStorage:
        """Torch before 0.4 saved parts of storages: `(key, first value, number of values)`."""
        if not isinstance(view, tuple) or len(view) != 3 or any(type(part) is not int for part in view[1:]):
            raise self._senseless("a part of a storage without its place")
        first, last = view[1] * dtype.itemsize, (view[1] + view[2]) * dtype.itemsize
        if not 0 <= first <= last <= data.nbytes():
            raise self._senseless("a part beyond its storage")
        return data[first:last]

    def _tensor(self, stored: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Tensor:
        return self._view(stored, offset, size, stride, stored.dtype if isinstance(stored, Stored) else None)

    def _tensor_of_bytes(
        self, stored: Any, offset: Any, size: Any, stride: Any, _grad: Any, _hooks: Any, dtype: Any, *_: Any
    ) -> Tensor:
        return self._view(stored, offset, size, stride, dtype)

    def _view(self, stored: Any, offset: Any, size: Any, stride: Any, dtype: Any) -> Tensor:
        if not isinstance(stored, Stored) or not isinstance(dtype, torch.dtype):
            raise self._senseless("a tensor without a storage")
        if not isinstance(size, tuple) or not isinstance(stride, tuple) or len(size) != len(stride):
            raise self._senseless("a tensor without a shape")
        numbers = (offset, *size[:MAX_DIMENSIONS], *stride[:MAX_DIMENSIONS])
        if len(size) > MAX_DIMENSIONS or any(type(number) is not int or number < 0 for number in numbers):
            raise self._senseless("a tensor with an impossible shape")
        held, wanted = stored.data.nbytes() // dtype.itemsize, prod(size)
        end = offset + 1 + sum((extent - 1) * step for extent, step in zip(size, stride, strict=True))
        if wanted and end > held:
            raise self._senseless(f"a tensor of {wanted:,} values beyond its storage of {held:,}")
        if wanted > held:
            why = f"it holds an expanded tensor: {wanted:,} values of which the file has {held:,}"
            raise CheckpointError(self.name, why, "Save it with .contiguous().")
        tensor: Tensor = torch.empty(0, dtype=dtype)
        tensor.set_(stored.data, offset if wanted else 0, size, stride)
        return tensor

    def _parameter(self, data: Any, *_: Any) -> Tensor:
        if not isinstance(data, Tensor):
            raise self._senseless("a parameter without a tensor")
        return data

    def _of_type(self, function: Any, kind: Any, arguments: Any, *_: Any) -> Any:
        """A tensor with attributes of its own, which are left out."""
        if not isinstance(kind, Name) or kind.full not in _TENSORS:
            raise self._code("a tensor of a class of its own")
        return self._parameter(self._call(function, arguments))

    def _senseless(self, what: str) -> CheckpointError:
        return CheckpointError(
            self.name, f"it is damaged or of another format ({self.where}: {what})", "Get a whole copy."
        )
