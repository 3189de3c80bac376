"""`xai ui` ends with everything that it started, and says where it is."""

import signal
import urllib.request
from pathlib import Path

import pytest

from tests.ui.dagster_dev import UI, code_location, start, stop, wait_for

pytestmark = pytest.mark.ui


def processes_of(home):
    """The living processes whose command names the folder: code servers and the daemon have the instance in theirs."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().decode(errors="replace")
        except OSError:  # it ended meanwhile
            continue
        if str(home) in command:
            found.append(command.replace("\0", " "))
    return found


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_leaves_no_process(tmp_path, sign):
    (tmp_path / "data" / "studies").mkdir(parents=True)
    process, base = start(tmp_path, *UI)
    try:
        wait_for("xai ui", 180, lambda: urllib.request.urlopen(f"{base}/server_info", timeout=2))
        code_location(base)
        assert wait_for("daemon and code server", 30, lambda: len(processes_of(tmp_path)) >= 2)
        process.send_signal(sign)
        assert process.wait(90) == 0
        assert wait_for("their end", 60, lambda: not processes_of(tmp_path))
    finally:
        if process.poll() is None:
            stop(process)
    said = (tmp_path / "log").read_text(encoding="utf-8")
    assert f"The UI is at {base}" in said and "Traceback" not in said
