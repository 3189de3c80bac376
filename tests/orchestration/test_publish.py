"""What the UI serves lies where its web server looks, and only harmless kinds of files."""

from pathlib import Path

import dagster as dg
import pytest

from xai_assets.web.publish import publish


def test_a_file_is_put_where_the_server_looks_and_replaced(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        key = ("reports", "demo", "cam")
        assert publish(instance, key, "pdf", b"%PDF old") == "/logs/reports/demo/cam/pdf"
        publish(instance, key, "pdf", b"%PDF new")
        served = Path(instance.compute_log_manager.get_captured_local_path(list(key), "pdf"))
        assert served.read_bytes() == b"%PDF new"
        assert served.is_relative_to(tmp_path)


@pytest.mark.parametrize("kind", ["html", "svg", "js"])
def test_kinds_that_could_run_in_the_ui_are_refused(tmp_path, kind):
    with (
        dg.DagsterInstance.local_temp(str(tmp_path)) as instance,
        pytest.raises(ValueError, match="not served"),
    ):
        publish(instance, ("reports",), kind, b"")


def test_without_a_local_log_manager_there_is_no_address():
    with dg.DagsterInstance.ephemeral() as instance:
        assert publish(instance, ("reports",), "pdf", b"%PDF") is None
