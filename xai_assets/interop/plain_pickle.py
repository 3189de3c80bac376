"""Reading plain data out of a pickle without running any of it.

A pickle is a program for a small stack machine. Of its 68 instructions this machine knows those that build plain
values (dictionaries, lists, tuples, text, bytes, numbers, booleans, None) and the memo; whatever could import, call
or look something up is refused by its name and place, before anything has happened. `pickletools` takes the
instructions apart; the module that would carry them out is never imported.
"""

import io
import pickletools
from collections.abc import Callable
from typing import Any

from xai_assets.errors import XaiError

MAX_BYTES = 4 * 2**20
"""Parameters of ten thousand images are about 2 MB."""

MAX_DEPTH = 32
"""Containers within containers; parameters have three levels."""

MAX_MEMO = 200_000
"""Remembered values."""

MAX_EXPANDED = 20_000_000
"""Values and characters once everything that is shared is written out: a few hundred bytes that refer to one
another can stand for more than fits any memory."""

MAX_INSTRUCTIONS = 2_000_000
"""Some ten seconds. Parameters of ten thousand images take one million, a checkpoint takes forty a tensor."""

MAX_INTEGER_BITS = 1024

MAX_NUMBER_KEYS = 10_000
"""Keys that are numbers, in the whole file. Unlike a text's, their hash can be chosen: each key of one hash is compared
with all before it, and ten thousand take a second."""

PARAMETERS_ALONE = "Save the parameters alone: image, name, value."
_SCALARS = (str, bytes, int, float, bool, type(None))
_TEXT = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}
_TEXT_OF_PYTHON_2 = {"STRING", "BINSTRING", "SHORT_BINSTRING"}
_NUMBERS = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
_BYTES = {"SHORT_BINBYTES", "BINBYTES", "BINBYTES8"}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_NOTHING_TO_DO = {"PROTO", "FRAME"}
_REMEMBER = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
_RECALL = {"GET", "BINGET", "LONG_BINGET"}


class PickleRefused(XaiError):
    """A pickle that is damaged, or that holds more than plain data."""


def read_plain_pickle(data: bytes, *, name: str) -> Any:
    """The plain value that a pickle of any protocol holds.

    Args:
        data: the pickle's bytes, at most MAX_BYTES.
        name: what to call it in errors, such as its path.

    Returns:
        Nested dict, list and tuple of str, bytes, int, float, bool and None, at most MAX_DEPTH deep. Keys of
        dictionaries are none of the containers. Values that were shared are shared, and none contains itself.

    Raises:
        PickleRefused: empty, too large, truncated, bytes behind its end, an instruction that imports, calls or looks
            something up (the protocols 0 to 2 need one for bytes), numpy values among them, or one of the limits.
    """
    if not data:
        raise PickleRefused(name, "the file is empty", "Get a whole copy of it.")
    if len(data) > MAX_BYTES:
        raise PickleRefused(name, f"it has {len(data):,} bytes, more than {MAX_BYTES:,}", PARAMETERS_ALONE)
    stream = io.BytesIO(data)
    value = PickleMachine(name).run(stream)
    if behind := len(data) - stream.tell():
        raise damaged(name, f"{behind} bytes stand behind its end")
    return value


class PickleMachine:
    """A stack of values, a stack of marked stacks below it, and the memo.

    A subclass may know more instructions: `other` gets those that build no plain value. Time and memory are bounded by
    the size of the data, MAX_INSTRUCTIONS, MAX_MEMO, MAX_NUMBER_KEYS and MAX_EXPANDED.

    Args:
        name: what to call the pickle in errors.
    """

    scalars: tuple[type, ...] = _SCALARS
    """What may be the key of a dictionary."""

    max_memo = MAX_MEMO

    simpler = PARAMETERS_ALONE
    """What to do where a limit is reached or an instruction is refused."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.number_keys = 0
        self._at = "the beginning", 0
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self._build: dict[str, Callable[[], None]] = {
            "MARK": self._mark,
            "EMPTY_DICT": lambda: self.stack.append({}),
            "EMPTY_LIST": lambda: self.stack.append([]),
            "EMPTY_TUPLE": lambda: self.stack.append(()),
            "LIST": lambda: self._replace(self.marked()),
            "TUPLE": lambda: self._replace(tuple(self.marked())),
            "TUPLE1": lambda: self.stack.append(tuple(self.top(1))),
            "TUPLE2": lambda: self.stack.append(tuple(self.top(2))),
            "TUPLE3": lambda: self.stack.append(tuple(self.top(3))),
            "DICT": lambda: self._replace(self.fill({}, self.marked())),
            "APPEND": lambda: self._extend(self.top(1)),
            "APPENDS": lambda: self._extend(self.marked()),
            "SETITEM": lambda: self._update(self.top(2)),
            "SETITEMS": lambda: self._update(self.marked()),
            "STOP": lambda: None,
        }

    def run(self, data: io.BytesIO) -> Any:
        """The value of the pickle that begins where `data` stands; afterwards `data` stands behind it.

        The data lie in memory: from a file, an instruction that claims 2 GB would have them reserved at once.

        Raises:
            PickleRefused: as `read_plain_pickle`.
        """
        try:
            for count, (instruction, argument, place) in enumerate(pickletools.genops(data)):
                self.step(instruction.name, argument, place or 0)
                if count >= MAX_INSTRUCTIONS:
                    raise self.refuse(f"more than {MAX_INSTRUCTIONS:,} instructions")
        except (ValueError, OverflowError) as error:  # pickletools: an unknown or truncated instruction
            # Python's limit of digits comes with its advice to lift it.
            why = "a number has too many digits" if "int_max_str_digits" in str(error) else error
            raise damaged(self.name, f"after {self.where}: {why}") from error
        value = self.result()
        self._measure(value, {}, ())
        return value

    @property
    def where(self) -> str:
        """The instruction that is carried out, for errors."""
        return f"{self._at[0]} at byte {self._at[1]}"

    def step(self, instruction: str, argument: Any, place: int) -> None:
        """Carry out one instruction, or refuse it."""
        self._at = instruction, place
        if instruction in self._build:
            self._build[instruction]()
        elif instruction in _TEXT or instruction in _BYTES:
            self.stack.append(argument)
        elif instruction in _NUMBERS:
            self._number(argument)
        elif instruction in _CONSTANTS:
            self.stack.append(_CONSTANTS[instruction])
        elif instruction in _TEXT_OF_PYTHON_2:
            self.text_of_python_2(argument)
        elif instruction in _REMEMBER:
            self._remember(len(self.memo) if instruction == "MEMOIZE" else argument)
        elif instruction in _RECALL:
            if argument not in self.memo:
                raise damaged(self.name, f"{self.where} recalls what was not remembered")
            self.stack.append(self.memo[argument])
        elif instruction not in _NOTHING_TO_DO:
            self.other(instruction, argument)

    def other(self, instruction: str, argument: Any) -> None:
        """An instruction that builds no plain value: refused."""
        raise self.refuse(self._what_it_wants(instruction, argument))

    def text_of_python_2(self, text: str) -> None:
        """A byte string of Python 2, read as Latin-1: taken where it is ASCII."""
        if not text.isascii():
            raise self.refuse("text of Python 2 that is not ASCII, so that its letters would be a guess")
        self.stack.append(text)

    def result(self) -> Any:
        """The one value that is left at the end."""
        if len(self.stack) != 1 or self.below:
            raise damaged(self.name, "it does not end with one value")
        return self.stack[0]

    def _what_it_wants(self, instruction: str, argument: Any) -> str:
        named = argument
        if instruction == "STACK_GLOBAL":
            named = " ".join(str(part) for part in self.stack[-2:] if isinstance(part, str))
        wanted = f" {str(named)[:80]!r}" if named is not None else ""
        return f"the instruction{wanted}, which plain data does not need"

    def _number(self, value: Any) -> None:
        if isinstance(value, int) and value.bit_length() > MAX_INTEGER_BITS:
            raise self.refuse(f"a number of {value.bit_length():,} bits")
        self.stack.append(value)

    def _mark(self) -> None:
        self.below.append(self.stack)
        self.stack = []

    def marked(self) -> list[Any]:
        """The values above the last mark, which is taken away."""
        if not self.below:
            raise damaged(self.name, f"{self.where} finds no mark")
        values, self.stack = self.stack, self.below.pop()
        return values

    def top(self, count: int) -> list[Any]:
        """The last `count` values, which are taken away."""
        if len(self.stack) < count:
            raise damaged(self.name, f"{self.where} finds too few values")
        values = self.stack[-count:]
        del self.stack[-count:]
        return values

    def _replace(self, value: Any) -> None:
        self.stack.append(value)

    def _extend(self, values: list[Any]) -> None:
        self._container(list).extend(values)

    def _update(self, values: list[Any]) -> None:
        self.fill(self._container(dict), values)

    def fill(self, target: dict[Any, Any], values: list[Any]) -> dict[Any, Any]:
        """`target` with the keys and values that alternate in `values`, or a refusal."""
        if len(values) % 2:
            raise damaged(self.name, f"{self.where} finds a key without a value")
        for key, value in zip(values[::2], values[1::2], strict=True):
            # The hash of nested tuples that share their parts takes for ever.
            if not isinstance(key, self.scalars):
                raise self.refuse(f"a dictionary's key of type {type(key).__name__}")
            self.number_keys += not isinstance(key, str | bytes)
            if self.number_keys > MAX_NUMBER_KEYS:
                raise self.refuse(f"more than {MAX_NUMBER_KEYS:,} keys that are numbers")
            if key in target:
                raise self.refuse(f"the key {str(key)[:80]!r} a second time")
            target[key] = value
        return target

    def _container(self, kind: type) -> Any:
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise damaged(self.name, f"{self.where} finds no {kind.__name__} to fill")
        return self.stack[-1]

    def _remember(self, index: int) -> None:
        if not self.stack:
            raise damaged(self.name, f"{self.where} finds nothing to remember")
        if (
            index >= self.max_memo
        ):  # they are counted from 0; numbers of one hash would take for ever to look up
            raise self.refuse(f"more than {self.max_memo:,} remembered values")
        self.memo[index] = self.stack[-1]

    def refuse(self, what: str) -> PickleRefused:
        """The error of the instruction that is carried out."""
        return PickleRefused(
            self.name,
            f"{self.where}: refused: {what}; nothing of the file was run",
            f"Where you trust the file: {self.simpler}",
        )

    def _measure(
        self, value: Any, known: dict[int, tuple[int, int]], around: tuple[int, ...]
    ) -> tuple[int, int]:
        """Values and characters once nothing is shared, and levels; each container is looked at once."""
        if isinstance(value, str | bytes):
            return 1 + len(value), 0
        if not isinstance(value, dict | list | tuple):
            return 1, 0
        if id(value) in around:
            raise PickleRefused(self.name, "a value contains itself", self.simpler)
        if id(value) not in known:
            parts = [*value, *value.values()] if isinstance(value, dict) else value
            # Deeper than this is refused below in any case; going on would only use up Python's own stack.
            found = (
                [self._measure(part, known, (*around, id(value))) for part in parts]
                if len(around) < MAX_DEPTH
                else [(0, MAX_DEPTH)]
            )
            size, levels = 1 + sum(part[0] for part in found), 1 + max((part[1] for part in found), default=0)
            if levels > MAX_DEPTH:
                raise PickleRefused(self.name, f"it is more than {MAX_DEPTH} levels deep", self.simpler)
            if size > MAX_EXPANDED:
                why = f"written out it has more than {MAX_EXPANDED:,} values and characters"
                raise PickleRefused(self.name, why, self.simpler)
            known[id(value)] = size, levels
        return known[id(value)]


def damaged(name: str, why: str) -> PickleRefused:
    """The error of a pickle that breaks off or makes no sense."""
    return PickleRefused(name, f"it is no pickle, or it is damaged ({why})", "Get a whole copy of it.")
