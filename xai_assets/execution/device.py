"""Devices: which ones a run may use, found without starting CUDA, and how a step gets one for itself."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

from xai_assets.execution.locks import try_lock
from xai_assets.settings import Settings

QUERY = ["nvidia-smi", "--query-gpu=uuid,name,memory.total", "--format=csv,noheader,nounits"]
SECONDS_TO_ANSWER = 20


@dataclass(frozen=True)
class Device:
    """A CUDA device.

    Attributes:
        id: what CUDA_VISIBLE_DEVICES takes: a UUID where nvidia-smi gives one.
        name: the model's name.
        memory_mib: its memory in MiB; None where it is not known.
    """

    id: str
    name: str
    memory_mib: int | None = None


@dataclass(frozen=True)
class Devices:
    """The devices that a run may use, in order, and where the list comes from or why it is empty."""

    found: tuple[Device, ...]
    why: str


def discover(settings: Settings, environment: Mapping[str, str] | None = None) -> Devices:
    """The devices that the settings and CUDA_VISIBLE_DEVICES leave, as nvidia-smi lists them.

    CUDA is not started: a process that has started it can no longer be forked. XAI_DEVICES replaces what is found,
    which simulates devices that are not there. Numbers in CUDA_VISIBLE_DEVICES count in nvidia-smi's order.
    """
    env = os.environ if environment is None else environment
    if settings.device == "cpu":
        return Devices((), "XAI_DEVICE is cpu")
    if settings.devices is not None:
        listed = tuple(Device(name, "listed in XAI_DEVICES") for name in settings.devices)
        return Devices(listed, f"XAI_DEVICES lists {len(listed)}")
    present = _present()
    visible = env.get("CUDA_VISIBLE_DEVICES")
    if not present.found or visible is None:
        return present
    chosen: list[Device] = []
    for entry in (part.strip() for part in visible.split(",")):
        device = _named(entry, present.found)
        if device is None:
            break  # as CUDA does: what follows an entry that means nothing is hidden
        chosen.append(device)
    return Devices(tuple(chosen), f"CUDA_VISIBLE_DEVICES is {visible!r}")


def _present() -> Devices:
    try:
        answer = subprocess.run(QUERY, capture_output=True, text=True, timeout=SECONDS_TO_ANSWER)
    except FileNotFoundError:
        return Devices((), "there is no nvidia-smi, hence no NVIDIA driver")
    except subprocess.TimeoutExpired:
        return Devices((), f"nvidia-smi did not answer within {SECONDS_TO_ANSWER} s")
    if answer.returncode:
        said = (answer.stdout + answer.stderr).strip().splitlines()
        return Devices((), f"nvidia-smi says: {said[0] if said else f'exit code {answer.returncode}'}")
    found = tuple(_parsed(line) for line in answer.stdout.splitlines() if line.strip())
    return Devices(found, f"nvidia-smi lists {len(found)}")


def _parsed(line: str) -> Device:
    uuid, name, memory = (part.strip() for part in line.split(","))
    return Device(uuid, name, int(memory) if memory.isdecimal() else None)


def _named(entry: str, present: tuple[Device, ...]) -> Device | None:
    """The device that one entry of CUDA_VISIBLE_DEVICES names: a number, a UUID or its beginning, or a MIG slice."""
    if entry.isdecimal():
        return present[int(entry)] if int(entry) < len(present) else None
    if entry.startswith("MIG-"):
        return Device(entry, "a MIG slice")
    return next((device for device in present if entry and device.id.startswith(entry)), None)


@dataclass(frozen=True)
class Lease:
    """A place that a step has for itself: an open, locked file.

    It goes to the step's process when that is started, and belongs to both from then on. So it is free when the step's
    process is gone and the run worker has seen that, or is gone as well.
    """

    name: str
    handle: int

    def __reduce__(self) -> tuple[object, ...]:
        return _received, (self.name, DupFd(self.handle))

    def close(self) -> None:
        """Give this process's share of it back."""
        os.close(self.handle)


def _received(name: str, handle: Any) -> Lease:
    own = handle.detach()
    os.set_inheritable(own, False)  # programs that the step starts do not keep it
    return Lease(name, own)


@dataclass
class Places:
    """Where steps with a heavy load may run: a device each, or where there is none, places on the CPU.

    Attributes:
        names: device ids, or names of places on the CPU.
        folder: of the lock files; every run on the host uses the same.
    """

    names: tuple[str, ...]
    folder: Path
    _next: int = field(default=0, init=False)

    def try_lease(self) -> Lease | None:
        """A free place, taken in turn so that all wear alike; None where every one is taken."""
        for step in range(len(self.names)):
            at = (self._next + step) % len(self.names)
            handle = try_lock(self.folder / f"{self.names[at].replace('/', '_')}.lock", shared=True)
            if handle is not None:
                self._next = (at + 1) % len(self.names)
                return Lease(self.names[at], handle)
        return None
