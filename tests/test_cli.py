"""The command: what it prints and how it ends."""

import json

import pytest
from click.testing import CliRunner

from xai_assets import doctor
from xai_assets.cli import cli
from xai_assets.execution.device import Places
from xai_assets.interop.broden import BrodenProbe
from xai_assets.settings import Settings


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    for name in ("XAI_ARTIFACTS", "XAI_WAREHOUSE", "XAI_REPORTS", "XAI_MODELS", "XAI_STUDIES", "XAI_DEVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XAI_DATA", str(tmp_path / "data"))
    return lambda *arguments: CliRunner().invoke(cli, arguments)


def test_studies_are_listed_and_a_broken_one_says_so(invoke, tmp_path):
    folder = tmp_path / "data" / "studies"
    folder.mkdir(parents=True)
    (folder / "broken.yaml").write_text("title: []\n", encoding="utf-8")
    listed = invoke("studies").output.splitlines()
    assert [line.split()[0] for line in listed] == ["broken", "demo", "imagenet-places", "photographs"]
    assert "not valid: broken.yaml:1: title" in listed[0]


def test_check_of_the_demo_needs_nothing(invoke):
    found = invoke("check", "demo")
    assert found.exit_code == 0
    assert found.output.startswith("demo.yaml: valid\nok      files:")


def test_the_world_is_the_one_in_the_manifest_to_the_byte(invoke):
    found = invoke("world", "verify")
    assert found.exit_code == 0, found.output
    assert "0 differ" in found.output


def test_scenes_are_written_as_a_probe_set(invoke, tmp_path):
    assert (
        invoke("world", "render", str(tmp_path / "probe"), "--count", "5", "--split", "test").exit_code == 0
    )
    assert len(BrodenProbe(tmp_path / "probe")) == 5


def test_doctor_finds_this_machine_fit(invoke):
    found = invoke("doctor")
    assert found.exit_code == 0, found.output
    assert "problem" not in found.output


def test_doctor_names_what_is_missing_and_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "shipped", lambda name: tmp_path)
    settings = Settings.from_environment({"XAI_DATA": str(tmp_path)})
    (finding,) = [found for found in doctor.examine(settings) if found.what == "Diorama's models"]
    assert not finding.ok
    assert "object.safetensors" in finding.found
    assert "world train" in finding.remedy


def test_doctor_lists_the_devices_as_the_executor_gives_them(monkeypatch, tmp_path):
    def devices(**variables):
        settings = Settings.from_environment({"XAI_LOCKS": str(tmp_path / "locks"), **variables})
        (finding,) = [found for found in doctor.examine(settings) if found.what == "Devices"]
        return finding

    lease = Places(("first",), tmp_path / "locks").try_lease()
    assert devices(XAI_DEVICES="first,second").found == (
        "2: listed in XAI_DEVICES (first, leased to a step); listed in XAI_DEVICES (second, free)"
    )
    lease.close()
    assert "no GPU (XAI_DEVICES lists 0)" in devices(XAI_DEVICES="").found
    wanted = devices(XAI_DEVICES="", XAI_DEVICE="cuda")
    assert not wanted.ok and "XAI_DEVICE" in wanted.remedy


def test_reports_are_listed_with_the_time_they_were_made(invoke, tmp_path):
    assert invoke("reports").exit_code == 1
    folder = tmp_path / "data" / "reports" / "demo"
    folder.mkdir(parents=True)
    (folder / "cam.pdf").write_bytes(b"%PDF")
    (row,) = json.loads(invoke("reports", "--json").output)
    assert (row["study"], row["report"], row["file"]) == ("demo", "cam", str(folder / "cam.pdf"))
    assert invoke("reports", "demo").output.startswith("demo")
    assert invoke("reports", "other").exit_code == 1


def test_studies_as_json_say_which_are_not_valid(invoke, tmp_path):
    folder = tmp_path / "data" / "studies"
    folder.mkdir(parents=True)
    (folder / "broken.yaml").write_text("title: []\n", encoding="utf-8")
    rows = {row["name"]: row for row in json.loads(invoke("studies", "--json").output)}
    assert rows["demo"]["problem"] is None and rows["demo"]["title"]
    assert "broken.yaml:1: title" in rows["broken"]["problem"]
