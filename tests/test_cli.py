"""The command: what it prints and how it ends."""

import pytest
from click.testing import CliRunner

from xai_assets import doctor
from xai_assets.cli import cli
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
    assert [line.split()[0] for line in listed] == ["broken", "demo", "imagenet-places"]
    assert "not valid: broken.yaml:1: title" in listed[0]


def test_check_of_the_demo_needs_nothing(invoke):
    found = invoke("check", "demo")
    assert (found.exit_code, found.output) == (0, "demo.yaml: valid\n")


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
    assert "MEND" not in found.output


def test_doctor_names_what_is_missing_and_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "shipped", lambda name: tmp_path)
    settings = Settings.from_environment({"XAI_DATA": str(tmp_path)})
    (finding,) = [found for found in doctor.examine(settings) if found.what == "Diorama's models"]
    assert not finding.ok
    assert "object.safetensors" in finding.found
    assert "world train" in finding.remedy


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="auto, cpu or cuda"):
        Settings.from_environment({"XAI_DEVICE": "tpu"})
