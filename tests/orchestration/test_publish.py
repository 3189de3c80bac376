"""What the UI serves lies where its web server looks, and only harmless kinds of files."""

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.cloud_storage_compute_log_manager import CloudStorageComputeLogManager
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager

from xai_assets.execution.history import QUIET
from xai_assets.web.publish import PREFIX, path_prefix, publish
from xai_assets.web.shown import links

KEY = ("reports", "demo", "cam")


@pytest.fixture(autouse=True)
def _no_prefix(monkeypatch):
    monkeypatch.delenv(PREFIX, raising=False)


def test_a_file_is_put_where_the_server_looks_and_replaced(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=QUIET) as instance:
        served = publish(instance, KEY, "pdf", b"%PDF old", kept="reports/cam.pdf")
        assert served.address == "/logs/reports/demo/cam/pdf"
        assert links([(served, "Download PDF")]) == "[Download PDF](</logs/reports/demo/cam/pdf>)"
        publish(instance, KEY, "pdf", b"%PDF new", kept="reports/cam.pdf")
        file = Path(instance.compute_log_manager.get_captured_local_path(list(KEY), "pdf"))
        assert file.read_bytes() == b"%PDF new"
        assert file.is_relative_to(tmp_path)


@pytest.mark.parametrize("given", ["/tools/xai", "tools/xai/", "/tools/xai/"])
def test_the_address_lies_below_the_servers_path(tmp_path, monkeypatch, given):
    monkeypatch.setenv(PREFIX, given)
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=QUIET) as instance:
        assert (
            publish(instance, KEY, "png", b"x", kept="maps").address == "/tools/xai/logs/reports/demo/cam/png"
        )


@pytest.mark.parametrize("given", ["", "/"])
def test_no_path_is_none(given):
    assert path_prefix({PREFIX: given}) == path_prefix({}) == ""


@pytest.mark.parametrize("kind", ["html", "svg", "js", "PDF", "pdf/../../x.html", ""])
def test_kinds_that_could_run_in_the_ui_are_refused(tmp_path, kind):
    with (
        dg.DagsterInstance.local_temp(str(tmp_path), overrides=QUIET) as instance,
        pytest.raises(ValueError, match="not served"),
    ):
        publish(instance, ("reports",), kind, b"", kept="x")


def test_a_key_cannot_leave_the_servers_folder(tmp_path):
    with (
        dg.DagsterInstance.local_temp(str(tmp_path), overrides=QUIET) as instance,
        pytest.raises(ValueError, match="Invalid path"),
    ):
        publish(instance, ("..", "..", "x"), "pdf", b"", kept="x")


class InACloud(CloudStorageComputeLogManager):
    """As those of S3, GCS and Azure are."""


InACloud.__abstractmethods__ = frozenset()


@pytest.mark.parametrize("manager", [InACloud, NoOpComputeLogManager])
def test_where_no_folder_is_served_the_files_own_address_is_given(tmp_path, monkeypatch, manager):
    with (
        dg.DagsterInstance.local_temp(str(tmp_path), overrides=QUIET) as instance,
        monkeypatch.context() as patch,
    ):
        patch.setattr(instance, "_compute_log_manager", manager())
        served = publish(instance, KEY, "pdf", b"%PDF", kept="/data/reports/demo/cam.pdf")
    assert served.address is None
    assert links([(served, "Download PDF")]) == (
        "Download PDF: /data/reports/demo/cam.pdf (the UI serves no files, since its compute logs are kept by "
        f"{manager.__name__})"
    )
    assert not list(tmp_path.rglob("*.pdf"))
