"""The artifact store keeps arrays to the byte, and says what is wrong with a file."""

import os

import hypothesis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load_file, save_file

from xai_assets.resources.shared import Shared
from xai_assets.resources.store import ArtifactError, ArtifactStore

KEY = "0123456789abcdef"
arrays = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.float16, np.uint8, np.int64, np.bool_]),
    hnp.array_shapes(min_dims=1, max_dims=4, max_side=5),
)


@settings(deadline=None, max_examples=40)
@given(array=arrays, meta=st.dictionaries(st.text(), st.integers() | st.text() | st.none(), max_size=4))
def test_what_goes_in_comes_out(tmp_path_factory, array, meta):
    store = ArtifactStore(tmp_path_factory.mktemp("store"))
    store.put("maps", KEY, {"values": array, "turned": array.T}, meta)
    found, found_meta = store.get("maps", KEY)
    assert found["values"].dtype == array.dtype
    np.testing.assert_array_equal(found["values"], array)
    np.testing.assert_array_equal(found["turned"], array.T)
    assert found_meta == meta
    mapped, mapped_meta = store.mapped("maps", KEY)
    assert mapped_meta == meta and mapped.keys() == found.keys()
    for name in found:
        assert mapped[name].dtype == found[name].dtype and not mapped[name].flags.writeable
        np.testing.assert_array_equal(mapped[name], found[name])


def test_arrays_without_values_are_mapped_as_well(tmp_path):
    store = ArtifactStore(tmp_path)
    store.put("maps", KEY, {"none": np.zeros((0, 3), np.float32), "one": np.ones(1, np.uint16)}, {})
    assert store.mapped("maps", KEY)[0]["none"].shape == (0, 3)


def test_keys_are_found_by_how_they_begin(tmp_path):
    store = ArtifactStore(tmp_path)
    for key in (KEY + "bb", KEY + "aa", "0123456700000000"):
        store.put("maps", key, {"x": np.zeros(1)}, {})
    assert store.keys("maps", KEY) == [KEY + "aa", KEY + "bb"]
    assert store.keys("views", KEY) == []
    with pytest.raises(ValueError, match="not an artifact"):
        store.keys("maps", "../..")


def test_the_same_content_is_the_same_bytes(tmp_path):
    values = {"b": np.arange(6.0).reshape(2, 3), "a": np.zeros(3, np.uint8)}
    first = ArtifactStore(tmp_path / "1").put("maps", KEY, values, {"x": 1, "y": 2}).read_bytes()
    reordered = dict(reversed(values.items()))
    assert ArtifactStore(tmp_path / "2").put("maps", KEY, reordered, {"y": 2, "x": 1}).read_bytes() == first


@pytest.mark.parametrize(
    ("kind", "key"), [("maps", "../../etc"), ("../maps", KEY), ("maps", "ABCDEF01"), ("", KEY)]
)
def test_no_key_leaves_the_folder(tmp_path, kind, key):
    with pytest.raises(ValueError, match="not an artifact"):
        ArtifactStore(tmp_path).path(kind, key)


def test_nan_in_the_metadata_is_refused_and_nothing_is_written(tmp_path):
    store = ArtifactStore(tmp_path)
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.put("maps", KEY, {"values": np.zeros(1)}, {"raw_min": float("nan")})
    assert not store.has("maps", KEY)


def test_absent_artifacts_say_what_to_do(tmp_path):
    with pytest.raises(ArtifactError, match="does not exist"):
        ArtifactStore(tmp_path).get("maps", KEY)


def test_other_readers_of_safetensors_read_an_artifact(tmp_path):
    values = {"b": np.arange(6.0).reshape(2, 3), "a": np.ones(3, np.uint8), "c": np.float32(3).reshape(())}
    path = ArtifactStore(tmp_path).put("maps", KEY, values, {"x": 'a "sha256":"' + "0" * 64})
    found = load_file(path)
    assert found.keys() == values.keys()
    for name, array in values.items():
        np.testing.assert_array_equal(found[name], array)


def test_types_that_are_not_kept_are_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(ValueError, match="complex"):
        ArtifactStore(tmp_path).put("maps", KEY, {"x": np.zeros(1, complex)}, {})
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_bytes_of_the_other_order_are_kept_as_numbers(tmp_path):
    store = ArtifactStore(tmp_path)
    store.put("maps", KEY, {"x": np.array([1, 2], ">i4")}, {})
    assert store.get("maps", KEY)[0]["x"].tolist() == [1, 2]


# ---------------------------------------------------------------------------------------------------- damage

OTHER = "fedcba9876543210"
VALUES = {"values": np.arange(300, dtype=np.float32), "mask": np.ones(7, np.uint8)}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return ArtifactStore(tmp_path_factory.mktemp("sound")).put("maps", KEY, VALUES, {"seed": 1}).read_bytes()


def _unsound(store, noticed):
    """The artifact counts as absent for whoever asks, is reported, and cannot be read by any way."""
    assert not store.has("maps", KEY)
    assert len(noticed) == 1 and noticed[0].path == store.path("maps", KEY)
    for read in (store.get, store.mapped):
        with pytest.raises(ArtifactError) as caught:
            read("maps", KEY)
        assert str(store.path("maps", KEY)) in str(caught.value)
    store.put("maps", KEY, VALUES, {})
    assert store.has("maps", KEY)
    np.testing.assert_array_equal(store.get("maps", KEY)[0]["values"], VALUES["values"])
    return noticed[0]


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_any_byte_that_changes_is_noticed(tmp_path_factory, written, data):
    at = data.draw(st.integers(0, len(written) - 1) | st.integers(0, 400))
    bit = data.draw(st.integers(1, 255))
    store = ArtifactStore(tmp_path_factory.mktemp("flipped"), on_damage=(noticed := []).append)
    path = store.path("maps", KEY)
    path.parent.mkdir(parents=True)
    path.write_bytes(written[:at] + bytes([written[at] ^ bit]) + written[at + 1 :])
    _unsound(store, noticed)


@settings(deadline=None, max_examples=60)
@given(length=st.integers(0, 2000), more=st.binary(max_size=3))
def test_any_other_length_is_noticed(tmp_path_factory, written, length, more):
    content = written[:length] + more
    hypothesis.assume(content != written)
    store = ArtifactStore(tmp_path_factory.mktemp("cut"), on_damage=(noticed := []).append)
    path = store.path("maps", KEY)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    _unsound(store, noticed)


def _fifo(path, written):
    os.mkfifo(path)


def _folder(path, written):
    path.mkdir()
    (path / "of somebody").write_bytes(b"x")


def _dangling(path, written):
    path.symlink_to(path.with_name("nowhere"))


def _no_permission(path, written):
    path.write_bytes(written)
    path.chmod(0)


def _of_another(path, written):
    store = ArtifactStore(path.parents[2])
    store.put("maps", OTHER, VALUES, {"seed": 1}).rename(path)


def _deep_header(path, written):
    header = b'{"__metadata__":{"artifact":"x","meta":' + b"[" * 100_000
    path.write_bytes(len(header).to_bytes(8, "little") + header)


def _long_number(path, written):
    header = (
        b'{"__metadata__":{"artifact":"x","meta":"' + b"1" * 10_000 + b'","sha256":"' + b"0" * 64 + b'"}}'
    )
    path.write_bytes(len(header).to_bytes(8, "little") + header)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (_fifo, "named pipe"), (_folder, "folder"), (_dangling, "link that leads nowhere"),
        (_of_another, f"another artifact, maps/{OTHER}"), (_deep_header, "header"), (_long_number, "header"),
        pytest.param(
            _no_permission, "ermission", marks=pytest.mark.skipif(os.geteuid() == 0, reason="root may read all")
        ),
    ],
)  # fmt: skip
def test_what_is_no_artifact_is_noticed_and_made_anew(tmp_path, written, damage, why):
    store = ArtifactStore(tmp_path, on_damage=(noticed := []).append)
    path = store.path("maps", KEY)
    path.parent.mkdir(parents=True)
    damage(path, written)
    noticed = _unsound(store, noticed)
    assert why in noticed.why and not noticed.older


def test_a_folder_in_the_place_of_an_artifact_is_kept_aside(tmp_path):
    store = ArtifactStore(tmp_path)
    for count in (1, 2):
        path = store.path("maps", KEY)
        path.unlink(missing_ok=True)
        path.mkdir(parents=True)
        (path / "of somebody").write_bytes(b"x")
        store.put("maps", KEY, VALUES, {})
        assert len(list(path.parent.glob("*.aside*/of somebody"))) == count


def test_an_artifact_of_an_older_version_is_made_again_and_called_so(tmp_path):
    store = ArtifactStore(tmp_path, on_damage=(noticed := []).append)
    path = store.path("maps", KEY)
    path.parent.mkdir(parents=True)
    save_file(VALUES, path, metadata={"meta": "{}"})
    assert _unsound(store, noticed).older


def test_what_changes_after_it_was_checked_is_noticed(tmp_path, written):
    store = ArtifactStore(tmp_path, on_damage=(noticed := []).append)
    path = store.put("maps", KEY, VALUES, {"seed": 1})
    assert store.has("maps", KEY) and store.has("maps", KEY)
    store.mapped("maps", KEY)
    path.write_bytes(written[:-1] + b"x")
    _unsound(store, noticed)


def test_a_damaged_copy_at_the_shared_address_is_made_again_for_all(tmp_path):
    address = Shared(f"file://{tmp_path}/shared")
    ArtifactStore(tmp_path / "one", address).put("maps", KEY, VALUES, {})
    there = tmp_path / "shared" / "maps" / KEY[:2] / f"{KEY}.safetensors"
    there.write_bytes(there.read_bytes()[:-9])
    other = ArtifactStore(tmp_path / "other", address, on_damage=(noticed := []).append)
    _unsound(other, noticed)
    assert ArtifactStore(tmp_path / "third", address).has("maps", KEY)
