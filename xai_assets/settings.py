"""Every XAI_* setting, read in one place."""

import os
import re
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xai_assets.errors import XaiError
from xai_assets.suggest import did_you_mean
from xai_assets.text import printable

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent

EXECUTORS = AUTO, IN_PROCESS, GPU_TAGGED, CELERY = "auto", "in_process", "gpu_tagged", "celery"
"""What a run may choose; see `xai_assets.execution.executor`."""

DEVICES = "auto", "cpu", "cuda"
"""What XAI_DEVICE may be."""

WEEK = 7 * 24 * 3600
LEAST_LOST_AFTER, MOST_LOST_AFTER = 5, WEEK
"""Seconds; a heartbeat may be late by a few."""

DEBUG = "XAI_DEBUG"
"""The variable that, when set, prints the traceback of every error."""

VARIABLES = (
    "XAI_DATA", "XAI_ARTIFACTS", "XAI_WAREHOUSE", "XAI_REPORTS", "XAI_MODELS", "XAI_STUDIES", "XAI_DEVICE",
    "XAI_DEVICES", "XAI_LOCKS", "XAI_EXECUTOR", "XAI_BROKER", "XAI_LOST_AFTER",
    "XAI_WAREHOUSE_WAIT", DEBUG,
)  # fmt: skip
"""Every variable that is read."""

_IN_CHECKOUT = {
    "studies": "data/studies",
    "world": "data/world",
    "reports_templates": "reports_templates",
    "dagster.yaml": "dagster.yaml",
}


def shipped(name: str) -> Path:
    """The folder of something that travels with the code, "studies", "world" or "reports_templates", or "dagster.yaml".

    In a checkout it stands where people edit it; in an installed wheel it stands in the package.
    """
    in_wheel = PACKAGE / "_shipped" / name
    return in_wheel if in_wheel.exists() else CHECKOUT / _IN_CHECKOUT[name]


def in_checkout() -> bool:
    """Whether the package runs from its repository and not from an installed wheel."""
    return (CHECKOUT / "pyproject.toml").is_file() and (CHECKOUT / "reports_templates").is_dir()


class SettingError(XaiError):
    """A variable of the environment whose value cannot be used."""


@dataclass(frozen=True)
class Settings:
    """Where files are and what to compute on.

    Attributes:
        data: XAI_DATA; default `data` in the checkout, or in the working folder for an installed wheel.
        artifacts: XAI_ARTIFACTS; content-addressed results. Where that is a URL, this host's copies in `data`.
        shared: XAI_ARTIFACTS where it is a URL that hosts share, such as s3://bucket/folder; None for a folder.
        warehouse: XAI_WAREHOUSE; the DuckDB file.
        reports: XAI_REPORTS; PDF, HTML and JSON by study.
        models: XAI_MODELS; weight files that were downloaded or put there by hand.
        studies: XAI_STUDIES; the user's studies. Shipped studies are found as well.
        device: XAI_DEVICE; "auto", "cpu" or "cuda".
        devices: XAI_DEVICES; CUDA devices, comma-separated, in place of those that are found. None: those that are.
        locks: XAI_LOCKS; the folder of the locks by which all runs on this host share its devices.
        executor: XAI_EXECUTOR; what a run that does not choose an executor gets, schedules' and sensors' runs among them:
            "auto", "in_process", "gpu_tagged" or "celery".
        broker: XAI_BROKER; the Redis by which hosts share the steps of a run, such as redis://host:6379/0.
        lost_after: XAI_LOST_AFTER; seconds after which a worker that gives no sign of life counts as lost.
        warehouse_wait: XAI_WAREHOUSE_WAIT; seconds to wait for a program that has the warehouse open.
    """

    data: Path
    artifacts: Path
    warehouse: Path
    reports: Path
    models: Path
    studies: Path
    device: str = "auto"
    devices: tuple[str, ...] | None = None
    locks: Path = Path(tempfile.gettempdir()) / "xai-locks"
    shared: str | None = None
    executor: str = "auto"
    broker: str | None = None
    lost_after: int = 60
    warehouse_wait: int = 60

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings from `environment` (default: the process's own).

        Raises:
            SettingError: naming the variable, its value, and what it may be.
        """
        env = os.environ if environment is None else environment
        data = _path(env, "XAI_DATA", CHECKOUT / "data" if in_checkout() else Path.cwd() / "data")
        listed = env.get("XAI_DEVICES")
        artifacts = env.get("XAI_ARTIFACTS") or ""
        shared = _url("XAI_ARTIFACTS", artifacts) if re.match(r"[A-Za-z][\w+.-]*:", artifacts) else None
        return cls(
            data=data,
            artifacts=_folder("XAI_DATA", data / "artifacts")
            if shared
            else _path(env, "XAI_ARTIFACTS", data / "artifacts"),
            warehouse=_path(env, "XAI_WAREHOUSE", data / "warehouse.duckdb", file=True),
            reports=_path(env, "XAI_REPORTS", data / "reports"),
            models=_path(env, "XAI_MODELS", data / "models"),
            studies=_path(env, "XAI_STUDIES", data / "studies"),
            device=_choice(env, "XAI_DEVICE", DEVICES),
            devices=None if listed is None else _devices(listed),
            locks=_path(env, "XAI_LOCKS", cls.locks),
            shared=shared,
            executor=_choice(env, "XAI_EXECUTOR", EXECUTORS),
            broker=_broker(env.get("XAI_BROKER") or None),
            lost_after=_seconds(env, "XAI_LOST_AFTER", cls.lost_after, LEAST_LOST_AFTER, MOST_LOST_AFTER),
            warehouse_wait=_seconds(env, "XAI_WAREHOUSE_WAIT", cls.warehouse_wait, 0, WEEK),
        )


def unknown_variables(environment: Mapping[str, str] | None = None) -> list[str]:
    """The variables that look like a misspelt setting, each with the one that was probably meant."""
    env = os.environ if environment is None else environment
    names = [name for name in sorted(env) if name.upper().startswith("XAI_") and name not in VARIABLES]
    meant = {name: did_you_mean(name, VARIABLES, most=1, cutoff=0.8) for name in names}
    return [f"{printable(name)}: no such setting.{said}" for name, said in meant.items() if said]


def _refused(variable: str, value: str, why: str, allowed: str) -> SettingError:
    return SettingError(f"{variable} is {printable(value[:200])!r}", why, allowed)


def _choice(env: Mapping[str, str], variable: str, choices: tuple[str, ...]) -> str:
    value = env.get(variable) or choices[0]
    if value not in choices:
        listed = ", ".join(choices[:-1]) + " or " + choices[-1]
        meant = did_you_mean(value, choices, most=1)
        raise _refused(variable, value, "unknown value", f"It may be {listed}.{meant}")
    return value


def _path(env: Mapping[str, str], variable: str, default: Path, *, file: bool = False) -> Path:
    value = env.get(variable) or str(default)
    try:
        path = Path(value).expanduser()
    except RuntimeError:
        user = value.split("/")[0]
        raise _refused(
            variable,
            value,
            f"there is no user {user!r} whose home folder it could be in",
            "Give a full path.",
        ) from None
    found = _folder(variable, path, file=file)
    # A link whose target is away stays a link, so that its reader says so and no new file takes its place.
    return Path(os.path.abspath(path)) if path.is_symlink() and not found.exists() else found


def _folder(variable: str, path: Path, *, file: bool = False) -> Path:
    """The full path, which is a folder (or a file) where it exists, and could be made where it does not."""
    wanted = "Give the path of a file." if file else "Give the path of a folder, which need not exist."
    try:
        path = path.resolve()
        for place in (path, *path.parents):
            try:
                mode = place.stat().st_mode
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                continue
            if place == path and file:
                if not stat.S_ISREG(mode):
                    raise _refused(variable, str(path), "it is not a file", wanted)
            elif not stat.S_ISDIR(mode):
                raise _refused(
                    variable, str(path), f"{'it' if place == path else place} is not a folder", wanted
                )
            break
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a name that is too long
        why = getattr(error, "strerror", None) or str(error)
        raise _refused(variable, str(path), why, wanted) from None
    return path


def _url(variable: str, value: str) -> str:
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*(::[a-z]+)*://.", value):
        raise _refused(
            variable,
            value,
            "neither a folder nor an address",
            "Give a folder, or one such as s3://bucket/xai.",
        )
    return value


def _devices(listed: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in listed.split(",") if part.strip())
    for name in names:
        if "/" in name or not name.isprintable():
            raise _refused(
                "XAI_DEVICES", listed, f"{name!r} names no device", "List numbers or ids: 0,1 or GPU-..."
            )
    if len(set(names)) < len(names):
        raise _refused("XAI_DEVICES", listed, "it lists a device twice", "List each device once.")
    return names


def _broker(broker: str | None) -> str | None:
    if broker is not None and not re.match(r"rediss?://[^/]", broker):
        # Not its value, which may hold a password.
        raise SettingError(
            "XAI_BROKER", "not an address of Redis", "Give redis://HOST:6379/0 or rediss://..."
        )
    return broker


def _seconds(env: Mapping[str, str], variable: str, default: int, least: int, most: int) -> int:
    value = env.get(variable) or str(default)
    number = int(value) if re.fullmatch(r"[0-9]{1,9}", value) else -1
    if not least <= number <= most:
        raise _refused(
            variable, value, "not a number of seconds in that range", f"It may be {least} to {most}."
        )
    return number
