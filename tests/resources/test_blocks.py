"""Artifacts that share a file are read as if they had one each, without loss; a damaged one costs no other."""

import os
import time

import cv2
import hypothesis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load_file

from xai_assets.resources import block_file, packing
from xai_assets.resources.artifact_file import Unsound
from xai_assets.resources.block_file import Same, member
from xai_assets.resources.costs import COST
from xai_assets.resources.shared import Shared
from xai_assets.resources.store import ArtifactError, ArtifactStore

arrays = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.float16, np.uint8, np.int64, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
)


def key(number):
    return f"{number:08x}" * 4


def chance(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def put(store, numbers, kind="maps", **options):
    members = [member([key(n)], {"values": np.full((2, 3), n, np.float32)}, {"n": n}) for n in numbers]
    store.put_block(kind, members, **options)


def value(store, number, kind="maps"):
    found, meta = store.get(kind, key(number))
    assert meta == {"n": number}
    return found["values"][1, 2]


def files(folder, pattern="*.safetensors"):
    return sorted(path for path in folder.rglob(pattern) if path.is_file())


# ----------------------------------------------------------------------------------------------------- packing


def _again(array, beside=None):
    packed = packing.pack(array, beside or {})
    assert packed.said["bytes"] == len(packed.content)
    found = packing.unpack(packed.said, packed.content, beside or {})
    assert found.dtype == array.dtype.newbyteorder("=") and found.shape == array.shape
    assert found.tobytes() == np.ascontiguousarray(array, found.dtype).tobytes() and found.flags.writeable
    return packed


@settings(deadline=None, max_examples=150)
@given(array=arrays)
def test_what_is_packed_comes_out_to_the_byte(array):
    _again(array)


@settings(deadline=None, max_examples=50)
@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 9))
def test_images_come_out_to_the_byte(height, width, seed):
    _again(chance((height, width, 3), seed))
    _again(chance((height, width, 3), seed) // 250)


def test_smooth_images_and_masks_are_short():
    ramp = np.add.outer(np.arange(128), np.arange(128))[..., None] // [2, 3, 4]
    noisy = (ramp + chance((128, 128, 1)) // 64).astype(np.uint8)
    assert packing.pack(noisy, {}).said["how"] == packing.IMAGE
    assert len(packing.pack(noisy, {}).content) < noisy.nbytes / 5
    mask = np.zeros((128, 128), np.uint8)
    mask[20:90, 30:60] = 1
    assert len(packing.pack(mask, {}).content) < 200


@settings(deadline=None, max_examples=60)
@given(
    low=hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.floats(-9, 9, width=32)),
    height=st.integers(1, 70),
    width=st.integers(1, 70),
)  # fmt: skip
def test_a_map_is_worked_out_from_the_one_at_the_layer_s_resolution(low, height, width):
    values = cv2.resize(np.maximum(low, 0), (width, height), interpolation=cv2.INTER_LINEAR)
    assert _again(values, {"low_resolution": low}).content == b""
    other = values.copy()
    other[-1, -1] = np.nextafter(other[-1, -1], np.float32(99))
    assert _again(other, {"low_resolution": low}).said["how"] != packing.RESIZED


def test_a_map_that_would_come_out_otherwise_counts_as_damaged(tmp_path, monkeypatch):
    low = np.arange(6, dtype=np.float32).reshape(2, 3)
    values = cv2.resize(low, (9, 8), interpolation=cv2.INTER_LINEAR)
    store = ArtifactStore(tmp_path, on_damage=(noticed := []).append)
    store.put_block("maps", [member([key(1)], {"values": values, "low_resolution": low}, {})])
    assert store.has("maps", key(1))
    monkeypatch.setattr(packing, "_resized", lambda low, shape: values + np.float32(1e-6))
    assert not store.has("maps", key(1)) and "OpenCV" in noticed[0].why
    with pytest.raises(ArtifactError):
        store.get("maps", key(1))


def test_types_that_are_not_kept_and_nan_in_the_metadata_are_refused():
    with pytest.raises(ValueError, match="complex"):
        member([key(1)], {"x": np.zeros(1, complex)}, {})
    with pytest.raises(ValueError, match="JSON"):
        member([key(1)], {}, {"x": float("nan")})


# ------------------------------------------------------------------------------------------------------ the store


@settings(deadline=None, max_examples=40)
@given(
    contents=st.lists(st.dictionaries(st.sampled_from("abc"), arrays, max_size=3), min_size=1, max_size=4),
    meta=st.dictionaries(st.text(), st.integers() | st.text() | st.none() | st.floats(-9, 9), max_size=4),
)
def test_artifacts_that_share_a_file_are_read_as_others(tmp_path_factory, contents, meta):
    store = ArtifactStore(tmp_path_factory.mktemp("store"))
    store.put_block("maps", [member([key(n)], of, meta) for n, of in enumerate(contents)])
    assert len(files(store.root)) == 1
    other = ArtifactStore(store.root)
    for number, of in enumerate(contents):
        assert other.has("maps", key(number)) and other.meta("maps", key(number)) == meta
        for read in (other.get, other.mapped):
            found, said = read("maps", key(number))
            assert said == meta and found.keys() == of.keys()
            for name, array in of.items():
                assert found[name].dtype == array.dtype and found[name].shape == array.shape
                assert found[name].tobytes() == array.tobytes()
    assert not other.has("maps", key(99)) and not other.has("views", key(0))


def test_an_own_file_and_a_shared_one_stand_side_by_side(tmp_path):
    store = ArtifactStore(tmp_path)
    store.put("maps", key(7), {"values": np.full((2, 3), 7, np.float32)}, {"n": 7})
    put(store, [1, 2])
    assert [value(store, n) for n in (1, 2, 7)] == [1, 2, 7]
    known = store.known("maps", [key(7), key(3), key(2)])
    assert known == {key(7): {"n": 7}, key(2): {"n": 2}}


def test_the_same_members_are_the_same_bytes_and_one_file(tmp_path):
    one, two = ArtifactStore(tmp_path / "1"), ArtifactStore(tmp_path / "2")
    for store in (one, two, two):
        put(store, [3, 1, 2])
    [first], [second] = files(one.root), files(two.root)
    assert first.relative_to(one.root) == second.relative_to(two.root)
    assert first.read_bytes() == second.read_bytes()
    assert load_file(first)["content"].dtype == np.uint8  # any reader of safetensors opens it


def test_several_names_of_an_artifact(tmp_path):
    store = ArtifactStore(tmp_path)
    store.put_block("maps", [member([key(1), key(2)], {"x": np.ones(3)}, {})], {key(2): {"seconds": 1.5}})
    assert store.has("maps", key(1)) and store.has("maps", key(2))
    assert store.cost("maps", key(2)) == {"seconds": 1.5} and store.cost("maps", key(1)) is None


def test_an_array_that_another_artifact_has_is_kept_there_alone(tmp_path):
    store = ArtifactStore(tmp_path, on_damage=(noticed := []).append)
    pixels = chance((64, 64, 3))
    store.put_block("pictures", [member([key(1)], {"pixels": pixels}, {})])
    same = {"view": Same("pictures", key(1), "pixels")}
    store.put_block("views", [member([key(2)], {"truth": np.eye(64, dtype=np.uint8)}, {}, same)])
    [view] = files(tmp_path / "views_blocks")
    assert view.stat().st_size < 2500
    found = store.get("views", key(2))[0]
    np.testing.assert_array_equal(found["view"], pixels)
    np.testing.assert_array_equal(found["truth"], np.eye(64))
    [picture] = files(tmp_path / "pictures_blocks")
    picture.write_bytes(picture.read_bytes()[:-1] + b"x")
    assert not ArtifactStore(tmp_path, on_damage=noticed.append).has("views", key(2))
    with pytest.raises(ArtifactError, match="pictures"):
        store.get("views", key(2))
    assert {damage.path for damage in noticed} == {view, picture}


def test_what_another_process_writes_is_found(tmp_path):
    store = ArtifactStore(tmp_path)
    assert not store.has("maps", key(1))
    other = tmp_path / "other"
    put(ArtifactStore(other), [1, 2])
    (other / "maps_blocks").rename(tmp_path / "maps_blocks")
    assert store.has("maps", key(1)) and value(store, 2) == 2


def test_what_is_removed_is_gone(tmp_path):
    store = ArtifactStore(tmp_path, on_damage=(noticed := []).append)
    put(store, [1, 2])
    [path] = files(tmp_path)
    path.unlink()
    assert not store.has("maps", key(1)) and not noticed
    with pytest.raises(ArtifactError, match="does not exist"):
        store.get("maps", key(2))
    put(store, [1, 2])
    assert value(store, 2) == 2


def test_use_is_noted_on_the_file_once_in_a_while(tmp_path):
    store = ArtifactStore(tmp_path)
    put(store, [1, 2], costs={key(1): {"seconds": 1.0}})
    both = files(tmp_path, "*.*")
    for path in both:
        os.utime(path, (1, 1))
    assert store.has("maps", key(1))
    assert all(path.stat().st_mtime > time.time() - 60 for path in both)


# ------------------------------------------------------------------------------------------------------ damage


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_any_byte_that_changes_costs_its_artifact_and_no_wrong_value(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("flipped")
    put(ArtifactStore(root), [1, 2, 3])
    [path] = files(root)
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    path.unlink()
    path.write_bytes(whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :])
    fresh = root.rename(root.with_name(root.name + "x"))  # a folder that this process has no index of
    store = ArtifactStore(fresh, on_damage=(noticed := []).append)
    sound = [number for number in (1, 2, 3) if store.has("maps", key(number))]
    for number in (1, 2, 3):
        if number in sound:
            assert value(store, number) == number
        else:
            with pytest.raises(ArtifactError):
                store.get("maps", key(number))
    assert noticed or len(sound) == 3
    put(store, [number for number in (1, 2, 3) if number not in sound])
    assert [value(store, number) for number in (1, 2, 3)] == [1, 2, 3]


def test_a_damaged_artifact_is_replaced_where_it_is_and_the_others_stay(tmp_path):
    root = tmp_path / "store"
    put(ArtifactStore(root), [1, 2, 3], costs={key(n): {"seconds": float(n)} for n in (1, 2, 3)})
    [path] = files(root)
    whole = path.read_bytes()
    at = block_file.member([key(3)], {"values": np.full((2, 3), 3, np.float32)}, {}).content
    path.write_bytes(whole[: whole.rindex(at)] + at[:-1] + b"?" + whole[whole.rindex(at) + len(at) :])
    store = ArtifactStore(root, on_damage=(noticed := []).append)
    assert [store.has("maps", key(n)) for n in (1, 2, 3)] == [True, True, False]
    assert noticed[0].path == path and key(3) in noticed[0].why
    put(store, [3], costs={key(3): {"seconds": 4.0}})
    assert files(root) == [path] and path.read_bytes() == whole
    assert store.costs("maps", [key(n) for n in (1, 2, 3)]) == {
        key(n): {"seconds": s} for n, s in ((1, 1.0), (2, 2.0), (3, 4.0))
    }


@settings(deadline=None, max_examples=40)
@given(length=st.integers(0, 4000))
def test_a_cut_file_costs_what_is_cut(tmp_path_factory, length):
    root = tmp_path_factory.mktemp("cut")
    big = [member([key(n)], {"x": chance(500, n)}, {"n": n}) for n in (1, 2, 3)]
    ArtifactStore(root).put_block("maps", big)
    [path] = files(root)
    whole = path.read_bytes()
    hypothesis.assume(length < len(whole))
    path.write_bytes(whole[:length])
    store = ArtifactStore(root.rename(root.with_name(root.name + "x")), on_damage=(noticed := []).append)
    sound = [n for n in (1, 2, 3) if store.has("maps", key(n))]
    assert noticed and 3 not in sound
    store.put_block("maps", [one for one in big if one.names[0] not in [key(n) for n in sound]])
    assert all(store.get("maps", key(n))[0]["x"].tobytes() == chance(500, n).tobytes() for n in (1, 2, 3))


@pytest.mark.parametrize("content", [b"", b"x", b"\xff" * 40, (2).to_bytes(8, "little") + b"{}"])
def test_what_is_no_block_is_noticed_and_written_anew(tmp_path, content):
    put(ArtifactStore(tmp_path / "a"), [1, 2])
    [path] = files(tmp_path)
    path.write_bytes(content)
    (tmp_path / "a").rename(tmp_path / "b")
    store = ArtifactStore(tmp_path / "b", on_damage=(noticed := []).append)
    assert not store.has("maps", key(1))
    assert [damage.path.name for damage in noticed] == [path.name]
    put(store, [1, 2])
    assert len(files(tmp_path)) == 1 and value(store, 1) == 1


def test_a_block_that_is_renamed_is_not_taken(tmp_path):
    put(ArtifactStore(tmp_path / "a"), [1])
    [path] = files(tmp_path)
    path.rename(path.with_name("0" * 32 + ".safetensors"))
    (tmp_path / "a").rename(tmp_path / "b")
    assert not ArtifactStore(tmp_path / "b").has("maps", key(1))


def test_a_header_with_other_sizes_is_unsound():
    said = {"how": packing.PLAIN, "dtype": "F32", "shape": [3], "bytes": 4}
    with pytest.raises(Unsound):
        packing.unpack(said, b"1234", {})
    for shape in ([-1], [2**40, 2**40], ["x"]):
        with pytest.raises(Unsound):
            packing.unpack(said | {"shape": shape}, b"1234", {})
    with pytest.raises(Unsound):
        packing.unpack(said | {"how": "pickle"}, b"1234", {})
    with pytest.raises(Unsound):
        packing.unpack(said | {"how": packing.COMPRESSED}, b"1234", {})


# ---------------------------------------------------------------------------------------------------- many hosts


def test_blocks_are_shared_and_only_those_that_are_used_are_copied(tmp_path):
    address = Shared(f"file://{tmp_path}/shared")
    one, other = ArtifactStore(tmp_path / "one", address), ArtifactStore(tmp_path / "other", address)
    put(one, [1, 2], costs={key(1): {"seconds": 2.0}})
    put(one, [3, 4])
    assert not files(other.root)
    assert other.has("maps", key(2)) and value(other, 1) == 1
    assert len(files(other.root)) == 1
    assert other.cost("maps", key(1)) == {"seconds": 2.0}
    put(one, [5])
    assert other.known("maps", [key(5)]) == {key(5): {"n": 5}}


def test_a_long_header_at_the_shared_address_is_read_whole(tmp_path):
    address = Shared(f"file://{tmp_path}/shared")
    members = [member([key(n)], {}, {"text": "x" * 3000, "n": n}) for n in range(200)]
    ArtifactStore(tmp_path / "one", address).put_block("maps", members)
    assert ArtifactStore(tmp_path / "other", address).meta("maps", key(199))["n"] == 199


def test_costs_have_their_own_file(tmp_path):
    store = ArtifactStore(tmp_path)
    put(store, [1, 2], costs={key(1): {"seconds": 1.0}})
    [cost] = files(tmp_path, f"*{COST}")
    assert cost.with_suffix("").stem == files(tmp_path)[0].stem
    cost.write_text("[", encoding="utf-8")
    assert store.costs("maps", [key(1)]) == {}


def test_an_own_file_is_read_in_place_of_a_shared_one_while_it_is_whole(tmp_path):
    store = ArtifactStore(tmp_path, on_damage=(noticed := []).append)
    put(store, [1])
    path = store.put("maps", key(1), {"values": np.full((2, 3), 5, np.float32)}, {"n": 1})
    assert value(store, 1) == 5 and store.mapped("maps", key(1))[0]["values"][0, 0] == 5
    path.write_bytes(path.read_bytes()[:-1])
    assert store.has("maps", key(1)) and value(store, 1) == 1
    assert noticed and {damage.path for damage in noticed} == {path}
