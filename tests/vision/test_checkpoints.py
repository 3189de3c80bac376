"""Checkpoints as people save them, and files that pretend to be one."""

import pickle  # noqa: TID251 (to write the files that must be refused)
import struct
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from xai_assets.vision.checkpoints import (
    CheckpointError,
    CheckpointMismatch,
    fit,
    metadata_list,
    read_metadata,
    read_state_dict,
)
from xai_assets.vision.diorama_net import resnet10


def network(num_classes: int = 3) -> nn.Module:
    torch.manual_seed(1)
    return resnet10(4, num_classes)


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


@pytest.mark.parametrize("container", [None, "state_dict", "model_state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod."])
def test_state_dicts_are_found_wherever_people_put_them(
    tmp_path: Path, container: str | None, prefix: str
) -> None:
    state = network().state_dict()
    saved: object = {prefix + key: value for key, value in state.items()}
    if container:
        saved = {container: saved, "epoch": 90, "arch": "resnet10", "best_prec1": torch.tensor(54.2)}
    torch.save(saved, tmp_path / "a.pth.tar")
    assert same(read_state_dict(tmp_path / "a.pth.tar"), dict(state))


def test_the_old_format_of_torch_is_read(tmp_path: Path) -> None:
    state = network().state_dict()
    torch.save({"state_dict": state}, tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    assert same(read_state_dict(tmp_path / "a.pth"), dict(state))


def test_a_prefix_that_only_some_names_have_stays(tmp_path: Path) -> None:
    torch.save({"module.a": torch.zeros(1), "b": torch.zeros(1)}, tmp_path / "a.pth")
    assert set(read_state_dict(tmp_path / "a.pth")) == {"module.a", "b"}


class _BytesOfPython2(pickle._Pickler):  # type: ignore[misc]
    """Python 2's `str` was bytes; pickled by it, text has the opcode that Python 3 reads as bytes to be decoded."""

    def save_str(self, text: str) -> None:
        data = text.encode("latin1")
        self.write(b"U" + bytes([len(data)]) + data)  # SHORT_BINSTRING
        self.memoize(text)

    dispatch: ClassVar = {**pickle._Pickler.dispatch, str: save_str}


def test_a_checkpoint_of_python_2_is_read(tmp_path: Path) -> None:
    """Places365's own checkpoints were written by Python 2.7 and torch 0.2."""
    path = tmp_path / "old.pth.tar"
    with path.open("wb") as file:
        for header in (
            0x1950A86A20F9469CFC6C,
            1001,
            {"little_endian": True},
        ):  # torch's magic, protocol, system
            pickle.dump(header, file, protocol=2)
        pickler = _BytesOfPython2(file, protocol=2)
        weight = torch.arange(6, dtype=torch.float32)

        class Rebuilt:
            def __reduce__(self) -> tuple[object, ...]:
                return torch._utils._rebuild_tensor, (weight.untyped_storage(), 0, (2, 3), (3, 1))

        storage = ("storage", torch.FloatStorage, "0", "cpu", 6, None)
        pickler.persistent_id = lambda value: storage if isinstance(value, torch.UntypedStorage) else None
        pickler.dump({"arch": "r\xe9snet", "state_dict": OrderedDict([("module.fc.weight", Rebuilt())])})
        pickle.dump(["0"], file, protocol=2)
        file.write(struct.pack("<q", 6) + weight.numpy().tobytes())
    assert torch.equal(read_state_dict(path)["fc.weight"], weight.view(2, 3))


class _Hostile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("new_format", [True, False])
def test_a_hostile_pickle_is_refused_and_does_nothing(tmp_path: Path, new_format: bool) -> None:
    touched = tmp_path / "touched"
    path = tmp_path / "a.pth"
    torch.save(
        {"state_dict": {"w": torch.zeros(1)}, "extra": _Hostile(touched)},
        path,
        _use_new_zipfile_serialization=new_format,
    )
    with pytest.raises(CheckpointError, match="code") as caught:
        read_state_dict(path)
    assert str(path) == caught.value.what
    assert not touched.exists()
    torch.load(path, weights_only=False)
    assert touched.exists()  # the file was as hostile as it should be


def test_a_whole_pickled_network_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="Linear"):
        read_state_dict(tmp_path / "a.pth")


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
@pytest.mark.parametrize("damage", ["empty", "text", "half"])
def test_damaged_files_are_named(tmp_path: Path, name: str, damage: str) -> None:
    path = tmp_path / name
    state = dict(network().state_dict())
    save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
    whole = path.read_bytes()
    path.write_bytes(
        {"empty": b"", "text": b"<html>404 not found</html>", "half": whole[: len(whole) // 2]}[damage]
    )
    with pytest.raises(CheckpointError, match=r"empty|damaged|plain torch") as caught:
        read_state_dict(path)
    assert caught.value.what == str(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        read_state_dict(tmp_path / "absent.pth")


@pytest.mark.parametrize("content", [[1, 2], {}, {"a": 1}, {1: torch.zeros(1)}, {"state_dict": {"a": "b"}}])
def test_what_is_not_weights_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="where a state dict was expected"):
        read_state_dict(tmp_path / "a.pth")


def test_the_size_is_limited_packed_and_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save({"w": torch.zeros(100_000)}, path)
    with pytest.raises(CheckpointError, match="more than 1,000"):
        read_state_dict(path, max_bytes=1000)
    packed = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        for entry in whole.infolist():
            bomb.writestr(entry.filename, whole.read(entry))
    assert packed.stat().st_size < 50_000
    with pytest.raises(CheckpointError, match="compressed"):
        read_state_dict(packed, max_bytes=50_000)


def test_half_precision_becomes_the_networks_own() -> None:
    own = network()
    state = {
        key: value.half() if value.is_floating_point() else value for key, value in own.state_dict().items()
    }
    fresh = resnet10(4, 3)
    fit(fresh, state, name="x")
    assert fresh.conv1.weight.dtype == torch.float32
    assert torch.equal(fresh.conv1.weight, own.conv1.weight.half().float())


def test_counters_that_old_checkpoints_lack_may_be_missing() -> None:
    state = {key: value for key, value in network().state_dict().items() if "num_batches" not in key}
    fresh = resnet10(4, 3)
    fit(fresh, state, name="x")
    assert torch.equal(fresh.fc.weight, state["fc.weight"])


def test_differences_are_told_and_nothing_is_changed() -> None:
    fresh = resnet10(4, 3)
    before = {key: value.clone() for key, value in fresh.state_dict().items()}
    state = dict(network(5).state_dict())
    del state["layer1.0.bn1.bias"]
    state["head.weight"] = torch.zeros(1)
    with pytest.raises(CheckpointMismatch) as caught:
        fit(fresh, state, name="mine.pth")
    for told in (
        "mine.pth",
        "1 missing (layer1.0.bn1.bias)",
        "1 unexpected (head.weight)",
        "fc.weight: checkpoint (5, 32), network (3, 32)",
    ):
        assert told in str(caught.value)
    assert same(before, dict(fresh.state_dict()))


def test_hundreds_of_differences_are_counted_and_not_all_listed() -> None:
    with pytest.raises(CheckpointMismatch, match="and 37 more") as caught:
        fit(resnet10(4, 3), {f"other.{index}": torch.zeros(1) for index in range(45)}, name="x")
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(value: float) -> None:
    state = dict(network().state_dict())
    state["fc.bias"] = torch.tensor([0.0, value, 0.0])
    with pytest.raises(CheckpointMismatch, match=r"fc\.bias"):
        fit(resnet10(4, 3), state, name="x")


def test_metadata_is_read_and_must_be_what_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"w": torch.zeros(1)}, path, metadata={"names": '["a", "b"]', "broken": "[", "number": "3"})
    assert read_metadata(path)["number"] == "3"
    assert metadata_list(path, "names") == ("a", "b")
    for key in ("absent", "broken", "number"):
        with pytest.raises(CheckpointError, match=key):
            metadata_list(path, key)
    save_file({"w": torch.zeros(1)}, path)
    assert read_metadata(path) == {}


def test_nothing_else_is_imported_to_read_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02cevil\nthing\n.")
        archive.writestr("a/version", b"3\n")
        archive.writestr("a/byteorder", b"little")
    sys.path.insert(0, str(tmp_path))
    try:
        with pytest.raises(CheckpointError):
            read_state_dict(path)
    finally:
        sys.path.remove(str(tmp_path))
    assert "evil" not in sys.modules
