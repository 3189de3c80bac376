"""A worker's device: one each, leased while it lives, and none for workers of other queues."""

import os

import pytest

from xai_assets.errors import XaiError
from xai_assets.execution.distributed.worker import post
from xai_assets.settings import Settings


@pytest.fixture
def settings(tmp_path):
    def made(**environment):
        return Settings.from_environment({"XAI_LOCKS": str(tmp_path / "locks"), **environment})

    return made


def test_a_worker_of_other_queues_has_no_device_and_cannot_take_memory_of_one(settings):
    given = post(settings(XAI_DEVICES="first"), ["default", "warehouse"], None)
    assert given.environment == {"CUDA_VISIBLE_DEVICES": "", "XAI_DEVICE": "cpu"}
    assert given.lease is None
    with pytest.raises(XaiError, match="is for steps of the queue gpu"):
        post(settings(), ["default"], "0")


def test_the_only_device_needs_no_name(settings):
    given = post(settings(XAI_DEVICES="only"), ["gpu"], None)
    assert given.environment["CUDA_VISIBLE_DEVICES"] == "only"
    os.close(given.lease.handle)


def test_of_several_one_is_named_by_number_or_id_and_leased(settings):
    several = settings(XAI_DEVICES="first,second")
    with pytest.raises(XaiError, match=r"--device: is needed, there are 2: 0: .*\(first\), 1: .*\(second\)"):
        post(several, ["gpu"], None)
    given = post(several, ["gpu"], "1")
    assert given.environment["CUDA_VISIBLE_DEVICES"] == "second"
    with pytest.raises(XaiError, match="device second: is leased to another worker or step"):
        post(several, ["gpu"], "sec")
    os.close(given.lease.handle)
    os.close(post(several, ["gpu"], "second").lease.handle)
    with pytest.raises(XaiError, match="device 2: is not there"):
        post(several, ["gpu"], "2")


def test_without_a_device_its_steps_run_on_the_cpu_unless_cuda_is_asked_for(settings):
    given = post(settings(XAI_DEVICES=""), ["gpu"], None)
    assert given.environment["XAI_DEVICE"] == "cpu" and "on the CPU" in given.said
    with pytest.raises(XaiError, match="there are 0"):
        post(settings(XAI_DEVICES="", XAI_DEVICE="cuda"), ["gpu"], None)
    with pytest.raises(XaiError, match="device 0: is not there"):
        post(settings(XAI_DEVICES=""), ["gpu"], "0")
