"""Devices are found as the driver lists them and the settings leave them, and a place is one step's at a time."""

import os

import pytest

from xai_assets.execution.device import Places, discover
from xai_assets.settings import Settings

TWO = "GPU-aaaa, NVIDIA H100, 81559\nGPU-bbbb, NVIDIA H100, [N/A]\n"


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Puts an nvidia-smi that prints `text` and ends with `code` in front of the path."""

    def put(text, code=0):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\nprintf '{text}'\nexit {code}\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    return put


def found(environment=(), **settings):
    variables = {name.upper(): value for name, value in settings.items()}
    return discover(Settings.from_environment(variables), dict(environment))


def test_devices_are_those_that_the_driver_lists(driver):
    driver(TWO)
    devices = found()
    assert [(d.id, d.name, d.memory_mib) for d in devices.found] == [
        ("GPU-aaaa", "NVIDIA H100", 81559),
        ("GPU-bbbb", "NVIDIA H100", None),
    ]
    assert devices.why == "nvidia-smi lists 2"


@pytest.mark.parametrize(
    ("visible", "left"),
    [
        ("1", ["GPU-bbbb"]),
        ("1,0", ["GPU-bbbb", "GPU-aaaa"]),
        ("GPU-b", ["GPU-bbbb"]),
        ("0,7,1", ["GPU-aaaa"]),
        ("-1,0", []),
        ("", []),
        ("MIG-1234", ["MIG-1234"]),
    ],
)
def test_cuda_visible_devices_leaves_what_cuda_would_show(driver, visible, left):
    driver(TWO)
    assert [device.id for device in found({"CUDA_VISIBLE_DEVICES": visible}).found] == left


def test_a_driver_that_does_not_answer_is_quoted(driver):
    driver("NVIDIA-SMI has failed\\n", 9)
    assert found() == discover(Settings.from_environment({}))
    assert (found().found, found().why) == ((), "nvidia-smi says: NVIDIA-SMI has failed")


def test_no_driver_means_no_device(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    devices = found({"CUDA_VISIBLE_DEVICES": "0"})
    assert (devices.found, devices.why) == ((), "there is no nvidia-smi, hence no NVIDIA driver")


def test_settings_come_before_the_driver(driver):
    driver(TWO)
    assert [device.id for device in found(xai_devices="a, b").found] == ["a", "b"]
    assert found(xai_devices="").found == ()
    assert (found(xai_device="cpu").found, found(xai_device="cpu").why) == ((), "XAI_DEVICE is cpu")


def test_places_are_given_in_turn_and_come_back(tmp_path):
    places = Places(("a", "MIG-1/2"), tmp_path / "locks")
    first, second = places.try_lease(), places.try_lease()
    assert (first.name, second.name) == ("a", "MIG-1/2")
    assert places.try_lease() is None
    assert Places(("a",), tmp_path / "locks").try_lease() is None  # another run's
    second.close()
    again = places.try_lease()
    assert again.name == "MIG-1/2"
    again.close()
    first.close()


def test_the_locks_folder_is_for_every_user_of_the_host(tmp_path):
    previous = os.umask(0o077)
    try:
        lease = Places(("a",), tmp_path / "locks").try_lease()
        lease.close()
    finally:
        os.umask(previous)
    assert (tmp_path / "locks").stat().st_mode & 0o7777 == 0o1777
    assert (tmp_path / "locks" / "a.lock").stat().st_mode & 0o777 == 0o666
