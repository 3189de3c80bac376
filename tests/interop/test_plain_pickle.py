"""Plain data comes back whatever the protocol; everything else is refused by name and does nothing."""

import collections
import os
import pickle  # noqa: TID251 -- the tests make the files that the reader must read or refuse
import pickletools
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xai_assets.interop import plain_pickle
from xai_assets.interop.plain_pickle import MAX_DEPTH, PickleRefused, read_plain_pickle

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
NUMBERS = (
    st.none() | st.booleans() | st.integers(-(2**1023), 2**1023) | st.floats(allow_nan=False) | st.text()
)


def nested(scalars):
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text() | st.integers(), inner)
        ),
        max_leaves=12,
    )


def same(a, b):
    """Equal, and of the same types throughout: True is not 1."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@settings(max_examples=50, deadline=None)
@given(value=nested(NUMBERS), protocol=st.sampled_from(PROTOCOLS))
def test_plain_data_comes_back_from_every_protocol(value, protocol):
    assert same(read_plain_pickle(pickle.dumps(value, protocol), name="x"), value)


@settings(max_examples=30, deadline=None)
@given(value=nested(NUMBERS | st.binary()), protocol=st.integers(3, 5))
def test_bytes_come_back_where_the_protocol_has_them(value, protocol):
    assert same(read_plain_pickle(pickle.dumps(value, protocol), name="x"), value)


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_older_protocols_call_a_function_for_bytes_and_are_refused(protocol):
    with pytest.raises(PickleRefused, match=r"GLOBAL at byte .*_codecs encode"):
        read_plain_pickle(pickle.dumps(b"x", protocol), name="x")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_was_shared_is_shared(protocol):
    one = {"a": [1]}
    found = read_plain_pickle(pickle.dumps([one, one], protocol), name="x")
    assert found[0] is found[1]


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"S'abc'\np0\n.", "abc"),
        (b"U\x03abcq\x00.", "abc"),
        (b"I01\n.", True),
        (b"(dp0\nS'k'\nI7\ns.", {"k": 7}),
        (b"(I1\nI2\nl.", [1, 2]),
        (b"(I1\nI2\nt.", (1, 2)),
        (b"(S'a'\nL123L\nd.", {"a": 123}),
    ],
)
def test_pickles_of_python_2(data, value):
    found = read_plain_pickle(data, name="x")
    assert same(found, value)


class Command:
    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_command_is_refused_by_name_and_place_and_not_run(protocol, tmp_path):
    data = pickle.dumps({"goldfish": {"num_samples": Command(tmp_path / "ran")}}, protocol)
    with pytest.raises(PickleRefused, match=r"GLOBAL at byte \d+: refused: .*'(posix|nt) system'") as caught:
        read_plain_pickle(data, name="evil.pkl")
    assert caught.value.what == "evil.pkl"
    assert not (tmp_path / "ran").exists()
    pickle.loads(data)  # it was loaded, not a blank
    assert (tmp_path / "ran").exists()


class WithState:
    pass


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "value",
    [
        WithState(),
        np.float64(0.5),
        np.arange(3),
        collections.OrderedDict(a=1),
        {1, 2},
        frozenset([1]),
        bytearray(b"x"),
        len,
        2j,
    ],
    ids=lambda value: type(value).__name__,
)
def test_objects_functions_and_numpy_are_refused(value, protocol):
    with pytest.raises(PickleRefused, match="refused"):
        read_plain_pickle(pickle.dumps([value], protocol), name="x")


PLAIN = {
    "MARK", "STOP", "NONE", "NEWTRUE", "NEWFALSE", "PROTO", "FRAME", "INT", "BININT", "BININT1", "BININT2", "LONG",
    "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE",
    "BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "EMPTY_LIST", "APPEND", "APPENDS", "LIST",
    "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "GET",
    "BINGET", "LONG_BINGET", "PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE",
}  # fmt: skip
ARGUMENTS = {
    "GLOBAL": b"os\nsystem\n", "INST": b"os\nsystem\n", "PERSID": b"1\n", "EXT1": b"\x01", "EXT2": b"\x01\x00",
    "EXT4": b"\x01\x00\x00\x00", "BYTEARRAY8": struct.pack("<Q", 0),
}  # fmt: skip


@pytest.mark.parametrize(
    "opcode", [op for op in pickletools.opcodes if op.name not in PLAIN], ids=lambda op: op.name
)
def test_every_other_instruction_is_refused_by_name_with_its_place(opcode):
    data = b"(]N" + opcode.code.encode("latin-1") + ARGUMENTS.get(opcode.name, b"") + b"."
    with pytest.raises(PickleRefused, match=rf"^x: {opcode.name} at byte 3: refused"):
        read_plain_pickle(data, name="x")


def test_the_list_of_instructions_is_whole():
    assert {op.name for op in pickletools.opcodes} >= PLAIN
    assert {"REDUCE", "BUILD", "OBJ", "NEWOBJ", "NEWOBJ_EX", "STACK_GLOBAL", "BINPERSID"} <= {
        op.name for op in pickletools.opcodes
    } - PLAIN


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_file_that_was_cut_off_is_damaged_at_every_byte(protocol):
    whole = pickle.dumps({"a": {"num_samples": 1000, "hide_color": [0.5, None, "x" * 300]}}, protocol)
    for length in range(len(whole)):
        with pytest.raises(PickleRefused):
            read_plain_pickle(whole[:length], name="x")


def kind_of_answer(data):
    try:
        return type(read_plain_pickle(data, name="x"))
    except PickleRefused as error:
        return type(error)


KINDS = (dict, list, tuple, str, bytes, int, float, bool, type(None), PickleRefused)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_an_error_and_nothing_else(data):
    assert kind_of_answer(data) in KINDS


@given(st.data())
def test_a_changed_byte_is_a_value_or_an_error_and_nothing_else(data):
    good = bytearray(
        pickle.dumps({"a": {"b": [1, 2.5, None, True, "x", (3,)]}}, data.draw(st.integers(0, 5)))
    )
    good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    assert kind_of_answer(bytes(good)) in KINDS


def test_a_bomb_of_references_is_refused_in_a_moment():
    bomb = []
    for _ in range(25):  # 33 million values in 150 bytes
        bomb = [bomb, bomb]
    with pytest.raises(PickleRefused, match="written out"):
        read_plain_pickle(pickle.dumps(bomb), name="x")


def test_tuples_as_keys_are_refused_since_their_hash_may_take_for_ever():
    with pytest.raises(PickleRefused, match="key of type tuple"):
        read_plain_pickle(pickle.dumps({(1, 2): 3}), name="x")


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 50_000])
def test_depth_is_limited(depth):
    data = b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."
    if depth <= MAX_DEPTH:
        assert isinstance(read_plain_pickle(data, name="x"), list)
    else:
        with pytest.raises(PickleRefused, match="levels deep"):
            read_plain_pickle(data, name="x")


def test_depth_is_counted_along_shared_values_too():
    value = [[]]
    for _ in range(MAX_DEPTH):
        value = [*value, [value[-1]]]
    with pytest.raises(PickleRefused, match="levels deep"):
        read_plain_pickle(pickle.dumps(value), name="x")


def test_a_value_that_contains_itself_is_refused():
    around = []
    around.append(around)
    with pytest.raises(PickleRefused, match="contains itself"):
        read_plain_pickle(pickle.dumps(around), name="x")


def test_size_memo_and_integers_are_limited(monkeypatch):
    with pytest.raises(PickleRefused, match="bits"):
        read_plain_pickle(pickle.dumps(2**2000), name="x")
    monkeypatch.setattr(plain_pickle.PickleMachine, "max_memo", 3)
    with pytest.raises(PickleRefused, match="remembered"):
        read_plain_pickle(pickle.dumps([[], [], [], []]), name="x")
    monkeypatch.setattr(plain_pickle, "MAX_BYTES", 20)
    with pytest.raises(PickleRefused, match="more than 20"):
        read_plain_pickle(pickle.dumps("x" * 30), name="x")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"not a pickle", "no pickle"),
        (b"N.N.", "stand behind"),
        (b"NN.", "one value"),
        (b"h\x07.", "not remembered"),
        (b"e.", "no mark"),
        (b"Na.", "too few|no list"),
        (b"(Nd.", "without a value"),
        (b"q\x00.", "nothing to remember"),
        (b"U\x01\xe9.", "ASCII"),
        (b"}(K\x01NK\x01Nu.", "second time"),
    ],
)
def test_what_is_wrong_is_said(data, why):
    with pytest.raises(PickleRefused, match=why):
        read_plain_pickle(data, name="x")


def colliding(count):
    """Integers of one hash: Python's hash of an integer is its remainder by 2^61 - 1."""
    return [index * (2**61 - 1) for index in range(1, count + 1)]


@pytest.mark.parametrize("keys", [colliding(501), [i + 0.5 for i in range(501)], [-i for i in range(501)]])
def test_keys_whose_hash_can_be_chosen_are_counted(keys, monkeypatch):
    """A dictionary of n keys of one hash takes n² comparisons; text has a secret hash."""
    monkeypatch.setattr(plain_pickle, "MAX_NUMBER_KEYS", 500)
    assert len(read_plain_pickle(pickle.dumps(dict.fromkeys(keys[:500])), name="x")) == 500
    with pytest.raises(PickleRefused, match="500 keys that are numbers"):
        read_plain_pickle(pickle.dumps(dict.fromkeys(keys)), name="x")
    several = [dict.fromkeys(keys[at : at + 100]) for at in range(0, 501, 100)]  # the limit is the file's
    with pytest.raises(PickleRefused, match="500 keys that are numbers"):
        read_plain_pickle(pickle.dumps(several), name="x")
    assert len(read_plain_pickle(pickle.dumps(dict.fromkeys(map(str, keys))), name="x")) == 501


def test_the_memo_takes_no_numbers_of_one_hash():
    data = b"N" + b"".join(b"p%d\n" % number for number in colliding(5)) + b"."
    with pytest.raises(PickleRefused, match="remembered"):
        read_plain_pickle(data, name="x")


def test_instructions_are_counted(monkeypatch):
    monkeypatch.setattr(plain_pickle, "MAX_INSTRUCTIONS", 100)
    assert read_plain_pickle(b"(" + b"N" * 90 + b"t.", name="x") == (None,) * 90
    with pytest.raises(PickleRefused, match="more than 100 instructions"):
        read_plain_pickle(b"(" + b"N" * 110 + b"t.", name="x")


def test_a_number_of_too_many_digits_is_said_without_advice_to_lift_the_limit():
    with pytest.raises(PickleRefused, match="a number has too many digits") as caught:
        read_plain_pickle(b"I" + b"9" * 5000 + b"\n.", name="x")
    assert "set_int_max_str_digits" not in str(caught.value)
