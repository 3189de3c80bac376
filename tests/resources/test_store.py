"""The artifact store keeps arrays to the byte, and says what is wrong with a file."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

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


def test_absent_and_damaged_artifacts_say_what_to_do(tmp_path):
    store = ArtifactStore(tmp_path)
    with pytest.raises(ArtifactError, match="does not exist"):
        store.get("maps", KEY)
    path = store.put("maps", KEY, {"values": np.zeros(100)}, {})
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ArtifactError, match="is damaged"):
        store.get("maps", KEY)
