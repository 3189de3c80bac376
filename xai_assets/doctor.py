"""What this machine has of what the platform needs."""

import ctypes
import ctypes.util
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from xai_assets.errors import XaiError
from xai_assets.execution.device import Device, Places, discover
from xai_assets.execution.extra import need_celery
from xai_assets.execution.history import check_history, instance_folder
from xai_assets.execution.op_tags import QUEUES
from xai_assets.settings import Settings, shipped, unknown_variables

FREE_GIB = 2


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    remedy: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Look at Python, libraries, settings, devices, shipped files, folders and, with a broker, the workers."""
    looks: list[Callable[[Settings], Finding]] = [
        _python,
        _pango,
        _harfbuzz,
        _variables,
        _duckdb,
        _devices,
        _torch,
        _shipped,
        _data,
        _history,
        _reports,
    ]
    if settings.broker is not None:
        looks.append(_workers)
    return [look(settings) for look in looks]


def _python(_: Settings) -> Finding:
    return Finding("Python", sys.version_info >= (3, 11), sys.version.split()[0], "Use Python 3.11 or newer.")


def _pango(_: Settings) -> Finding:
    remedy = "sudo apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
    try:
        import weasyprint
    except OSError as error:
        return Finding("Pango (PDF)", False, str(error).splitlines()[0], remedy)
    return Finding("Pango (PDF)", True, f"WeasyPrint {weasyprint.__version__}")


def _harfbuzz(_: Settings) -> Finding:
    """HarfBuzz's subsetter, which WeasyPrint loads by itself and does without where it is absent."""
    for name in (ctypes.util.find_library("harfbuzz-subset"), "libharfbuzz-subset.so.0"):
        try:
            if name is not None and ctypes.CDLL(name):
                return Finding("HarfBuzz subset (PDF fonts)", True, name)
        except OSError:
            continue
    return Finding(
        "HarfBuzz subset (PDF fonts)",
        False,
        "not found: PDFs are larger and take longer",
        "sudo apt-get install -y libharfbuzz-subset0",
    )


def _variables(_: Settings) -> Finding:
    unknown = unknown_variables()
    remedy = "Correct the name, or unset it; the README lists all settings."
    return Finding("Settings", not unknown, " ".join(unknown) or "every XAI_ variable is known", remedy)


def _duckdb(_: Settings) -> Finding:
    found = version("duckdb")
    # 2.0.0 can lose a committed write of another process without a word.
    return Finding(
        "DuckDB", found.startswith("1."), found, "Install duckdb>=1.5,<2: 2.0.0 can lose committed writes."
    )


def _devices(settings: Settings) -> Finding:
    """The devices as the executor gives them to steps."""
    devices = discover(settings)
    if not devices.found:
        return Finding(
            "Devices",
            settings.device != "cuda",
            f"no GPU ({devices.why}); steps that would use one run on the CPU",
            "XAI_DEVICE is cuda and there is none; set it to auto or cpu.",
        )
    listed = "; ".join(_said(device, settings) for device in devices.found)
    return Finding("Devices", True, f"{len(devices.found)}: {listed}")


def _said(device: Device, settings: Settings) -> str:
    lease = Places((device.id,), settings.locks).try_lease()
    if lease is not None:
        lease.close()
    memory = "" if device.memory_mib is None else f", {device.memory_mib} MiB"
    return f"{device.name} ({device.id}{memory}, {'free' if lease else 'leased to a step'})"


def _workers(settings: Settings) -> Finding:
    """Who does the steps of runs with the executor celery."""
    try:
        need_celery("XAI_BROKER")
        from xai_assets.execution.distributed.app import application
        from xai_assets.execution.distributed.pulse import listened_to

        listened = listened_to(application(settings))
    except XaiError as error:
        return Finding("Workers", False, f"{error.what} {error.why}", error.remedy)
    remedy = "Start one `xai worker --queue NAME` or more for each queue."
    silent = [queue for queue in QUEUES if queue not in listened]
    found = f"none listens to {', '.join(silent)}" if silent else "each queue has one or more"
    return Finding("Workers", not silent, found, remedy)


def _torch(settings: Settings) -> Finding:
    import torch

    # The count goes through NVML and does not start CUDA in this process.
    count = torch.cuda.device_count()
    found = (
        f"{torch.__version__}, {count} CUDA device{'s' * (count != 1)}, {torch.get_num_threads()} CPU threads"
    )
    unused = settings.devices is None and count == 0 and discover(settings).found
    remedy = "There is a GPU that torch does not see: install a build for CUDA, or set XAI_DEVICE=cpu."
    return Finding("torch", not unused, found, remedy)


def _shipped(_: Settings) -> Finding:
    names = ["object.safetensors", "scene.safetensors", "clip/open_clip_model.safetensors", "manifest.json"]
    absent = [name for name in names if not (shipped("world") / name).is_file()]
    found = "missing " + ", ".join(absent) if absent else str(shipped("world"))
    return Finding("Diorama's models", not absent, found, "Get the repository whole, or `xai world train`.")


def _data(settings: Settings) -> Finding:
    folder = settings.data
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 2**30
    ok = os.access(folder, os.W_OK) and free > FREE_GIB
    return Finding(
        "Data folder", ok, f"{settings.data}, {free:.0f} GiB free", "Set XAI_DATA to a folder with room."
    )


def _history(settings: Settings) -> Finding:
    """Whether what Dagster keeps of runs can be opened."""
    folder = instance_folder(settings)
    try:
        check_history(folder)
    except XaiError as error:
        return Finding("Run history", False, f"{error.what}: {error.why}", error.remedy)
    return Finding("Run history", True, str(folder) if folder.is_dir() else "none yet")


def _reports(settings: Settings) -> Finding:
    made = sorted(settings.reports.glob("*/*.pdf"))
    return Finding("Reports", True, f"{len(made)} in {settings.reports}")
