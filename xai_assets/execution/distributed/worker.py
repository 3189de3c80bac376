"""A worker: its device, its environment before any code of a step is imported, and what it listens to."""

import logging
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xai_assets.errors import XaiError
from xai_assets.execution.device import Device, Lease, Places, discover
from xai_assets.execution.gpu_tagged import NO_DEVICE
from xai_assets.execution.op_tags import CUDA, GPU_QUEUE
from xai_assets.settings import Settings


@dataclass(frozen=True)
class Post:
    """What a worker runs with.

    Attributes:
        environment: variables that are set before anything is imported.
        lease: of its device; None for a worker that has none.
        said: in words.
    """

    environment: Mapping[str, str]
    lease: Lease | None
    said: str


def post(settings: Settings, queues: Sequence[str], device: str | None) -> Post:
    """The device of a worker, leased for as long as it lives, so that no other worker or run on the host takes it.

    Args:
        settings: which devices there are.
        queues: those that it listens to; only the one of steps for a GPU has a device.
        device: the device's number or id; None: the only one that there is.

    Raises:
        XaiError: there are several and none is named, there is none of that name, it is taken, or there is none where
            XAI_DEVICE asks for one.
    """
    if GPU_QUEUE not in queues:
        if device is not None:
            raise XaiError(
                f"device {device}", "is for steps of the queue gpu", "Add --queue gpu, or leave it out."
            )
        return Post(NO_DEVICE, None, "no device")
    devices = discover(settings)
    if not devices.found and device is None and settings.device != CUDA:
        return Post(NO_DEVICE, None, f"no GPU ({devices.why}): steps for one run on the CPU")
    chosen = _chosen(devices.found, device, devices.why)
    lease = Places((chosen.id,), settings.locks).try_lease()
    if lease is None:
        raise XaiError(
            f"device {chosen.id}", "is leased to another worker or step", "Start one worker for each device."
        )
    with_device = {} if settings.devices is not None else {"XAI_DEVICE": CUDA}
    return Post({"CUDA_VISIBLE_DEVICES": chosen.id, **with_device}, lease, f"{chosen.name} ({chosen.id})")


def _chosen(found: Sequence[Device], device: str | None, why: str) -> Device:
    listed = ", ".join(f"{number}: {one.name} ({one.id})" for number, one in enumerate(found)) or why
    if device is None:
        if len(found) != 1:
            raise XaiError(
                "--device", f"is needed, there are {len(found)}: {listed}", "Start one worker for each."
            )
        return found[0]
    if device.isdecimal() and int(device) < len(found):
        return found[int(device)]
    named = [one for one in found if one.id.startswith(device)]
    if len(named) != 1:
        raise XaiError(f"device {device}", f"is not there; there are {listed}", "Name one of them.")
    return named[0]


def work(settings: Settings, queues: Sequence[str], name: str | None, given: Post) -> int:
    """Do steps of these queues, one at a time in this process, until told to stop.

    Returns:
        The exit code.
    """
    from xai_assets.execution.distributed.app import SIGNS, application

    app = application(settings)  # which refuses to work without a broker
    os.environ.update(given.environment)
    from xai_assets.execution.distributed.pulse import Pulse
    from xai_assets.execution.distributed.task import register

    register(app)
    host = f"{name or '-'.join([*queues, str(os.getpid())])}@{socket.gethostname()}"
    app.pulse = Pulse(app, host, queues, seconds=settings.lost_after / SIGNS, lost_after=settings.lost_after)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # which says so whenever storage is opened
    worker = app.Worker(
        pool="solo", concurrency=1, queues=list(queues), hostname=host, loglevel="INFO", without_gossip=True
    )
    worker.start()
    return int(worker.exitcode or 0)
