"""Nothing is written outside the data folder, and nothing is sent, whatever the home folder is."""

import os
import subprocess
import sys

from tests.conftest import TINY_STUDY
from xai_assets.own_caches import FOLDERS, SWITCHES, keep_inside

QUICK = TINY_STUDY.replace("  methods:", "  faithfulness: null\n  robustness: null\n  methods:")


def test_a_run_writes_nothing_to_the_home_folder_nor_leaves_temporary_files(tmp_path):
    data, temporary, home = tmp_path / "data", tmp_path / "tmp", tmp_path / "home"
    (data / "studies").mkdir(parents=True)
    (data / "studies" / "tiny.yaml").write_text(QUICK, encoding="utf-8")
    temporary.mkdir()
    home.write_text("a home folder in which nobody can write, not even root", encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    environment |= {"HOME": str(home), "TMPDIR": str(temporary), "XAI_DATA": str(data)}
    ran = subprocess.run(
        [sys.executable, "-m", "xai_assets", "run", "tiny"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert (data / "reports" / "tiny" / "cam.pdf").is_file()
    assert list(temporary.iterdir()) == []
    assert "elemetry" not in ran.stderr + ran.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "home", "tmp"]


def test_what_is_set_already_stays(monkeypatch, tmp_path):
    for name in [*FOLDERS, *SWITCHES]:
        monkeypatch.setenv(name, "mine")
    keep_inside()
    assert {os.environ[name] for name in [*FOLDERS, *SWITCHES]} == {"mine"}


def test_caches_are_in_the_data_folder(monkeypatch, tmp_path):
    for name in [*FOLDERS, *SWITCHES]:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("XAI_DATA", str(tmp_path))
    keep_inside()
    assert all(os.environ[name].startswith(str(tmp_path / "cache")) for name in FOLDERS)
    assert os.environ["DAGSTER_DISABLE_TELEMETRY"] == "yes"
    assert not (tmp_path / "cache").exists()


def test_a_wrong_setting_is_left_to_what_needs_it(monkeypatch):
    for name in FOLDERS:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("XAI_DATA", "~nosuchuser/data")
    monkeypatch.setenv("XAI_DEVICE", "toaster")
    keep_inside()
    assert os.environ["DAGSTER_DISABLE_TELEMETRY"]
