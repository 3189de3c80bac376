"""Torch's formats read as data: what torch reads comes back the same, and what is crafted costs no more than its size."""

import argparse
import io
import json
import os
import pickle  # noqa: TID251 (to write the files that must be refused)
import struct
import tarfile
import zipfile
import zlib
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from safetensors.torch import save, save_file
from torch import Tensor, nn

from xai_assets.vision import checkpoint_pickle, checkpoint_zip, safetensors_file
from xai_assets.vision.checkpoint_errors import CheckpointError
from xai_assets.vision.checkpoint_reading import metadata_list, read_metadata, read_plain

DTYPES = [
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
    torch.uint8, torch.bool, torch.complex64, torch.float8_e4m3fn, torch.float8_e5m2, torch.uint16,
]  # fmt: skip


def equal(a: Any, b: Any) -> bool:
    """Whether two values are the same; tensors by type, shape, strides and bits."""
    if isinstance(a, Tensor):
        bits = [torch.empty(0, dtype=torch.uint8).set_(one.contiguous().untyped_storage()) for one in (a, b)]
        return a.dtype == b.dtype and a.shape == b.shape and a.stride() == b.stride() and torch.equal(*bits)
    if isinstance(a, dict):
        return list(a) == list(b) and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return bool(a == b)


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    """Of any type and shape, some of them views of a larger storage."""
    shape = draw(st.lists(st.integers(0, 4), max_size=3))
    values = torch.arange(int(np.prod(shape)) + 3).to(draw(st.sampled_from(DTYPES)))
    found = values[3:].view(shape)
    if draw(st.booleans()) and len(shape) > 1:
        found = found.transpose(0, 1)
    return nn.Parameter(found) if found.is_floating_point() and draw(st.booleans()) else found


VALUES = st.recursive(
    tensors()
    | st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(0, 9), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None)
@given(value=VALUES, new=st.booleans())
def test_what_torch_saves_comes_back_as_torch_reads_it(
    tmp_path_factory: pytest.TempPathFactory, value: Any, new: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "a.pth"
    torch.save(value, path, _use_new_zipfile_serialization=new)
    try:
        expected = torch.load(path, weights_only=True)
    except AttributeError:  # torch cannot read its newest types from the old format
        assume(False)
    assert equal(read_plain(path), expected)


def test_state_dicts_keep_the_versions_of_their_modules_and_optimizers_are_plain(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.zeros(1, 3, 8, 8)).sum().backward()
    optimizer.step()
    content = {
        "model": network.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "rng": torch.get_rng_state(),
        "size": torch.Size([1, 2]), "dtype": torch.float16, "device": torch.device("cpu"), "seen": Counter("aab"),
        "bytes": b"\xff", "names": ("a", "b"),
    }  # fmt: skip
    for new in (True, False):
        torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=new)
        found = read_plain(tmp_path / "a.pth")
        assert isinstance(found["model"], OrderedDict)
        assert found["model"]._metadata == network.state_dict()._metadata
        assert equal(found["model"], dict(network.state_dict()))
        assert equal(found["optimizer"], optimizer.state_dict())
        assert found["size"] == (1, 2)
        assert found["dtype"] is torch.float16
        assert found["bytes"] == b"\xff"


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("new", [True, False])
def test_every_protocol_and_what_stands_beside_weights_is_read(
    tmp_path: Path, protocol: int, new: bool
) -> None:
    """Sets come as lists, and bytearrays as bytes."""
    content = {
        "w": torch.ones(2),
        "seen": {3},
        "raw": bytearray(b"\xff"),
        "pole": 1 + 2j,
        "text": "é",
        "none": b"",
    }
    torch.save(content, tmp_path / "a.pth", pickle_protocol=protocol, _use_new_zipfile_serialization=new)
    expected = content | {"seen": [3], "raw": b"\xff"}
    assert equal(read_plain(tmp_path / "a.pth"), expected)


def test_tensors_that_share_memory_share_it(tmp_path: Path) -> None:
    one = torch.arange(6.0)
    torch.save({"a": one, "b": one[2:4], "c": one.view(2, 3).T}, tmp_path / "a.pth")
    found = read_plain(tmp_path / "a.pth")
    found["a"][2] = 99
    assert found["b"][0] == 99
    assert found["c"].tolist() == [[0, 3], [1, 4], [99, 5]]


class _Storage:
    """Stands for a storage in a crafted pickle."""

    def __init__(
        self, count: int = 4, kind: type = torch.FloatStorage, key: Any = "0", where: str = "cpu"
    ) -> None:
        self.claim = ("storage", kind, key, where, count)


class _Call:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.parts = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.parts


class _Pickler(pickle._Pickler):  # type: ignore[misc]
    def persistent_id(self, value: Any) -> Any:
        return value.claim if isinstance(value, _Storage) else None


def crafted(content: Any, *, stored: bytes = b"\0" * 16, method: int = zipfile.ZIP_STORED) -> bytes:
    """A checkpoint with any pickle, and one storage."""
    buffer, file = io.BytesIO(), io.BytesIO()
    if isinstance(content, bytes):
        buffer.write(content)
    else:
        _Pickler(buffer, 2).dump(content)
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("archive/data.pkl", buffer.getvalue())
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/data/0", stored)
    return file.getvalue()


def tensor(storage: _Storage, offset: Any = 0, size: Any = (4,), stride: Any = (1,)) -> _Call:
    return _Call(torch._utils._rebuild_tensor_v2, storage, offset, size, stride, False, OrderedDict())


def nested_key(levels: int) -> bytes:
    """A dictionary whose key is a tuple of 2^levels parts, in 4 bytes a level."""
    doubled = b"".join(b"h%ch%c\x86q%c" % (i, i, i + 1) for i in range(levels))
    return b"\x80\x02](K\x01K\x01\x86q\x00" + doubled + b"e}h%cK\x01s." % levels


def torchscript() -> bytes:
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), buffer)
    return buffer.getvalue()


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("storages"))
    return buffer.getvalue()


def saved(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def numpy_archive() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.zeros(3))
    return buffer.getvalue()


def twice() -> bytes:
    data = bytearray(crafted({"a": tensor(_Storage())}))
    return bytes(data.replace(b"archive/byteorder", b"archive/data.pkl\0"))


def overlapping() -> bytes:
    """The directory's last entry begins where the first does."""
    data = bytearray(crafted({"a": tensor(_Storage())}))
    last = data.rindex(b"PK\1\2")
    data[last + 42 : last + 46] = struct.pack("<I", 0)
    return bytes(data)


def larger_than_the_file() -> bytes:
    data = bytearray(crafted({"a": tensor(_Storage())}))
    last = data.rindex(b"PK\1\2")
    data[last + 20 : last + 28] = struct.pack("<II", 2**31, 2**31)
    return bytes(data)


REFUSED = {
    "key of shared tuples": (lambda: crafted(nested_key(60)), "key of type tuple"),
    "compressed": (lambda: crafted({"a": 1}, method=zipfile.ZIP_DEFLATED), "is compressed, which torch never does"),
    "bzip2": (lambda: crafted({"a": 1}, method=zipfile.ZIP_BZIP2), "is compressed"),
    "two of one name": (twice, "is none of torch's|is there twice|overlaps"),
    "overlapping entries": (overlapping, "overlaps another"),
    "an entry larger than the file": (larger_than_the_file, "ends behind the end of the file"),
    "cut": (lambda: saved({"a": torch.zeros(99)})[:-50], "without its end"),
    "a comment behind it": (lambda: saved({"a": 1}) + b"x", "without its end"),
    "flipped bit in the weights": (
        lambda: saved({"a": torch.full((9,), 3.0)}).replace(b"\x00\x00\x40\x40", b"\x00\x00\x40\x41", 1),
        "does not fit its checksum",
    ),
    "storage larger than its entry": (lambda: crafted({"a": tensor(_Storage(2**40))}), "bytes where 4,398"),
    "storage that is not there": (lambda: crafted({"a": tensor(_Storage(key="7"))}), "'7' is not there"),
    "tensor beyond its storage": (lambda: crafted({"a": tensor(_Storage(), 0, (5,))}), "beyond its storage"),
    "offset beyond its storage": (lambda: crafted({"a": tensor(_Storage(), 3, (2,))}), "beyond its storage"),
    "expanded": (lambda: crafted({"a": tensor(_Storage(), 0, (2**40,), (0,))}), "expanded tensor: 1,099,511,627,776"),
    "negative stride": (lambda: crafted({"a": tensor(_Storage(), 3, (4,), (-1,))}), "impossible shape"),
    "an empty shape beyond all numbers": (
        lambda: crafted({"a": tensor(_Storage(), 0, (0, 2**70), (1, 1))}), "_rebuild_tensor_v2"),
    "negative size": (lambda: crafted({"a": tensor(_Storage(), 0, (-4,))}), "impossible shape"),
    "no numbers as shape": (lambda: crafted({"a": tensor(_Storage(), 0, ("4",))}), "impossible shape"),
    "a shape of 10,000 axes": (
        lambda: crafted({"a": tensor(_Storage(), 0, (1,) * 10_000, (1,) * 10_000)}), "impossible shape"),
    "a text as storage": (lambda: crafted({"a": tensor("x")}), "without a storage"),  # type: ignore[arg-type]
    "meta storage": (lambda: crafted({"a": tensor(_Storage(where="meta"))}), "without values"),
    "meta": (lambda: saved({"a": torch.zeros(3, device="meta")}), "without values"),
    "sparse": (lambda: saved({"a": torch.eye(3).to_sparse()}), "a sparse tensor"),
    "quantised": (
        lambda: saved({"a": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)}), "a quantised tensor"),
    "nested": (lambda: saved({"a": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])}), "a nested tensor"),
    "Namespace": (lambda: saved({"args": argparse.Namespace(lr=1)}), "argparse.Namespace"),
    "NumPy scalar": (lambda: saved({"best": np.float64(1.0)}), "numpy"),
    "network": (lambda: saved(nn.Linear(2, 2)), "Linear"),
    "TorchScript": (torchscript, "a TorchScript file"),
    "tar": (tar, "a tar archive"),
    "NumPy archive": (numpy_archive, "a NumPy archive"),
    "web page": (lambda: b"<!DOCTYPE html><html>404</html>", "a web page"),
    "Git LFS": (lambda: b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
    "gzip": (lambda: b"\x1f\x8b\x08" + b"\0" * 99, "compressed"),
    "call with a list as name": (lambda: crafted(b"\x80\x02]]\x93."), "a name that is no text"),
    "big-endian": (lambda: crafted({}).replace(b"little", b"bigend"), "big-endian|checksum"),
    "text key of an attribute": (lambda: crafted(b"\x80\x02}}b."), "a dict with a state"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # torch calls some of these kinds prototypes
@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_crafted_or_no_checkpoint_is_refused_with_the_reason_and_our_remedy(
    tmp_path: Path, kind: str
) -> None:
    """Each would cost time or memory beyond its size, be other weights than it says, or run code in torch's reader."""
    make, said = REFUSED[kind]
    path = tmp_path / "a.pth"
    path.write_bytes(make())
    with pytest.raises(CheckpointError, match=said) as caught:
        read_plain(path)
    assert caught.value.what == str(path)
    assert len(str(caught.value)) < 500
    assert "parameters" not in caught.value.remedy  # which is LIME's advice
    for advice in ("weights_only", "add_safe_globals", "safe_globals", "allowlist"):
        assert advice not in str(caught.value)


def test_calls_may_not_copy_a_large_value_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call has four bytes, and would copy a tuple of any length."""
    monkeypatch.setattr(checkpoint_pickle, "MAX_COPIED", 5000)
    one = b"\x80\x02](" + b"N" * 1000 + b"tq\x00ctorch\nSize\nq\x01(" + b"h\x01h\x00\x85R" * 10 + b"t\x86."
    (tmp_path / "a.pth").write_bytes(crafted(one))
    with pytest.raises(CheckpointError, match="copy more than 5,000"):
        read_plain(tmp_path / "a.pth")


def test_directory_entries_and_pickle_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pth"
    torch.save({str(i): torch.zeros(1) for i in range(20)}, path)
    for limit, said in (
        ("MAX_DIRECTORY", "directory"),
        ("MAX_ENTRIES", "entries"),
        ("MAX_PICKLE", "pickle has"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(checkpoint_zip, limit, 10)
            with pytest.raises(CheckpointError, match=said):
                read_plain(path)
    with pytest.raises(CheckpointError, match="more than 1,000"):
        read_plain(path, max_bytes=1000)


def test_the_old_format_may_not_claim_more_than_the_file(tmp_path: Path) -> None:
    """Torch reserves the storages of the old format before it has read one byte of them."""
    path = tmp_path / "a.pth"
    torch.save({"a": torch.arange(4.0), "b": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    at = whole.index(b"cpu")
    count = whole.index(b"K\x04", at)  # the number of values of the first storage
    path.write_bytes(whole[:count] + b"J\xff\xff\xff\x7f" + whole[count + 2 :])
    with pytest.raises(CheckpointError, match="claim more bytes than the file has"):
        read_plain(path)
    path.write_bytes(whole[:-3])
    with pytest.raises(CheckpointError, match="not all there"):
        read_plain(path)


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 10_000), damage=st.binary(min_size=1, max_size=3), new=st.booleans())
@example(at=1844, damage=b"\x05", new=True)  # the offsets of all entries become negative
def test_any_changed_byte_is_the_same_value_or_a_checkpoint_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, damage: bytes, new: bool
) -> None:
    """Anything but a CheckpointError would escape; the new format has checksums, so that no other weights come out."""
    value = {"state_dict": OrderedDict(w=torch.arange(6.0).view(2, 3), b=torch.ones(2)), "epoch": 7}
    path = tmp_path_factory.getbasetemp() / "changed.pth"
    torch.save(value, path, _use_new_zipfile_serialization=new)
    data = bytearray(path.read_bytes())
    at %= len(data)
    data[at : at + len(damage)] = damage
    path.write_bytes(data)
    try:
        found = read_plain(path)
    except CheckpointError:
        return
    assert not new or equal(found, value) or found.keys() != value.keys()


@settings(deadline=None)
@given(
    data=st.binary(max_size=200), start=st.sampled_from([b"", b"PK\3\4", b"\x80\2", b"\x10\0\0\0\0\0\0\0{"])
)
def test_any_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes, start: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.pth"
    path.write_bytes(start + data)
    with pytest.raises(CheckpointError):
        read_plain(path)


def safetensors(header: Any, values: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + values


W = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (struct.pack("<Q", 2**40) + b"{" + b"\0" * 99, "damaged"),
        (safetensors(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "RecursionError"),
        (safetensors(b'{"a":' + b"9" * 10_000 + b"}"), "ValueError"),
        (safetensors(b'{"w":%s,"w":%s}' % ((json.dumps(W).encode(),) * 2), b"\0" * 4), "twice"),
        (safetensors({"w": W | {"shape": [2**40]}}, b"\0" * 4), "damaged"),
        (safetensors({"w": W | {"data_offsets": [0, 2**40]}}, b"\0" * 4), "damaged"),
        (safetensors({"w": W, "v": W}, b"\0" * 4), "damaged"),
        (safetensors({"w": 5}), "damaged"),
        (safetensors(b"{\xff}"), "damaged"),
        (safetensors({"w": W}, b"\0" * 2), "damaged"),
    ],
)  # fmt: skip
def test_headers_that_lie_are_refused(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "a.safetensors").write_bytes(data)
    with pytest.raises(CheckpointError, match=said) as caught:
        read_plain(tmp_path / "a.safetensors")
    assert len(str(caught.value)) < 500


def test_safetensors_have_a_limit_of_tensors_and_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    save_file({str(i): torch.zeros(1) for i in range(20)}, path)
    for limit, said in (("MAX_TENSORS", "20 tensors, more than 10"), ("MAX_HEADER", "header has")):
        with monkeypatch.context() as patched:
            patched.setattr(safetensors_file, limit, 10)
            with pytest.raises(CheckpointError, match=said):
                read_plain(path)


def test_the_content_tells_the_format_and_not_the_name(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(save({"w": torch.ones(2)}))
    torch.save({"w": torch.ones(2)}, tmp_path / "b.safetensors")
    for name in ("a.pth", "b.safetensors"):
        assert read_plain(tmp_path / name)["w"].tolist() == [1, 1]


def test_lists_of_the_metadata_are_refused_where_they_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    wrong = {"deep": "[" * 100_000, "digits": f"[{'9' * 10_000}]", "number": "3", "mixed": '["a", 1]'}
    save_file({"w": torch.zeros(1)}, path, metadata=wrong | {"names": '["a"]'})
    assert metadata_list(path, "names") == ("a",)
    for key in (*wrong, "absent"):
        with pytest.raises(CheckpointError, match=key):
            metadata_list(path, key)
    os.mkfifo(tmp_path / "pipe.safetensors")
    for read in (read_metadata, read_plain):
        with pytest.raises(CheckpointError, match="named pipe"):
            read(tmp_path / "pipe.safetensors")


def test_the_checksum_of_every_entry_is_torchs(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(3)}, tmp_path / "a.pth")
    with zipfile.ZipFile(tmp_path / "a.pth") as archive:
        for info in archive.infolist():
            assert zlib.crc32(archive.read(info)) == info.CRC
