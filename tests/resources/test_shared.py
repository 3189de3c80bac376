"""Hosts that share an address: what one has made the others find, whole, and what is not shared stays as it was."""

import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from xai_assets.analysis.workbench import Workbench
from xai_assets.errors import XaiError
from xai_assets.resources.frames import has_table, read_table, write_table
from xai_assets.resources.io_manager import FrameIOManager
from xai_assets.resources.shared import Shared
from xai_assets.resources.store import ArtifactError, ArtifactStore
from xai_assets.settings import Settings

KEY = "0123456789abcdef"
VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture(params=["file", "memory"])
def url(request, tmp_path):
    """A folder that both hosts mount, and an object store."""
    return f"file://{tmp_path}/shared" if request.param == "file" else f"memory://{uuid.uuid4().hex}"


@pytest.fixture
def hosts(url, tmp_path):
    return [ArtifactStore(tmp_path / name, Shared(url)) for name in ("one", "other")]


def test_what_one_host_makes_the_other_finds_and_maps(hosts):
    one, other = hosts
    assert not one.has("maps", KEY) and not other.has("maps", KEY)
    written = one.put("maps", KEY, {"values": VALUES}, {"layer": "layer4"})
    assert other.has("maps", KEY)
    assert other.path("maps", KEY).is_file()  # what was not fetched could not be checked
    arrays, meta = other.mapped("maps", KEY)
    assert meta == {"layer": "layer4"}
    np.testing.assert_array_equal(arrays["values"], VALUES)
    assert other.path("maps", KEY).read_bytes() == written.read_bytes()
    np.testing.assert_array_equal(other.get("maps", KEY)[0]["values"], VALUES)


def test_keys_are_those_of_all_hosts(hosts):
    one, other = hosts
    assert one.keys("activations", KEY[:8]) == []
    one.put("activations", KEY + "11", {"a": VALUES}, {})
    other.put("activations", KEY + "22", {"a": VALUES}, {})
    other.put("activations", "01" + KEY, {"a": VALUES}, {})  # another prefix in the same folder
    assert one.keys("activations", KEY) == other.keys("activations", KEY) == [KEY + "11", KEY + "22"]


def test_a_host_that_was_killed_before_it_sent_sends_when_it_is_asked(hosts, tmp_path):
    one, other = hosts
    ArtifactStore(tmp_path / "one").put("maps", KEY, {"values": VALUES}, {})
    assert not other.has("maps", KEY)
    assert one.has("maps", KEY)
    assert other.has("maps", KEY)


def test_what_is_discarded_is_gone_for_all(hosts):
    one, other = hosts
    one.put("maps", KEY, {"values": VALUES}, {})
    one.discard("maps", KEY)
    one.discard("maps", KEY)
    assert not other.has("maps", KEY)
    with pytest.raises(ArtifactError, match="does not exist"):
        other.get("maps", KEY)


def test_tables_are_read_from_where_they_were_made_last(url, tmp_path):
    shared = Shared(url)
    one, other = tmp_path / "one", tmp_path / "other"
    assert not has_table(other, "images", "demo", shared)
    write_table(other, "images", "demo", pd.DataFrame({"n": [1]}), shared)
    write_table(one, "images", "demo", pd.DataFrame({"n": [2]}), shared)
    assert has_table(other, "images", "demo", shared)
    assert read_table(other, "images", "demo", shared)["n"].tolist() == [2]
    with pytest.raises(XaiError, match="has not been materialised"):
        read_table(one, "predictions", "demo", shared)


def test_nothing_unfinished_has_a_name(hosts, url):
    hosts[0].put("maps", KEY, {"values": VALUES}, {})
    shared = Shared(url)
    assert shared.names(f"maps/{KEY[:2]}") == [f"{KEY}.safetensors"]
    hosts[0].put("maps", KEY, {"values": VALUES}, {})  # in place of what is there
    assert shared.names(f"maps/{KEY[:2]}") == [f"{KEY}.safetensors"]


def test_a_protocol_without_its_driver_is_named_with_the_remedy(tmp_path):
    with pytest.raises(XaiError, match=r"XAI_ARTIFACTS sphinx://bucket: .*sphinx.* Install the driver"):
        ArtifactStore(tmp_path, Shared("sphinx://bucket")).has("maps", KEY)


def test_the_setting_is_a_folder_or_a_url(tmp_path):
    folder = Settings.from_environment({"XAI_DATA": str(tmp_path), "XAI_ARTIFACTS": str(tmp_path / "mine")})
    assert (folder.artifacts, folder.shared) == (tmp_path / "mine", None)
    url = Settings.from_environment({"XAI_DATA": str(tmp_path), "XAI_ARTIFACTS": "s3://bucket/xai"})
    assert (url.artifacts, url.shared) == (tmp_path / "artifacts", "s3://bucket/xai")
    with pytest.raises(XaiError, match="XAI_LOST_AFTER is 'soon'"):
        Settings.from_environment({"XAI_LOST_AFTER": "soon"})


def test_a_workbench_and_the_io_manager_use_the_address(tmp_path):
    url = f"file://{tmp_path}/shared"
    settings = Settings.from_environment({"XAI_DATA": str(tmp_path / "one"), "XAI_ARTIFACTS": url})
    bench = Workbench.open("demo", settings)
    assert bench.store.shared == Shared(url)
    assert not bench.has_table("images")
    write_table(tmp_path / "other", "images", "demo", pd.DataFrame({"n": [1]}), Shared(url))
    assert bench.has_table("images") and bench.table("images")["n"].tolist() == [1]
    assert FrameIOManager(artifacts=str(tmp_path), shared=url)._shared == Shared(url)
    assert (Path(tmp_path) / "shared" / "tables" / "images" / "demo.parquet").is_file()
