"""Every XAI_* setting, read in one place."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent

EXECUTORS = AUTO, IN_PROCESS, GPU_TAGGED, CELERY = "auto", "in_process", "gpu_tagged", "celery"
"""What a run may choose; see `xai_assets.execution.executor`."""

LEAST_LOST_AFTER = 5
"""Seconds; a sign of life may be late by a few."""

_IN_CHECKOUT = {"studies": "data/studies", "world": "data/world", "reports_templates": "reports_templates"}


def shipped(name: str) -> Path:
    """The folder of something that travels with the code: "studies", "world" or "reports_templates".

    In a checkout it stands where people edit it; in an installed wheel it stands in the package.
    """
    in_wheel = PACKAGE / "_shipped" / name
    return in_wheel if in_wheel.is_dir() else CHECKOUT / _IN_CHECKOUT[name]


def in_checkout() -> bool:
    """Whether the package runs from its repository and not from an installed wheel."""
    return (CHECKOUT / "pyproject.toml").is_file() and (CHECKOUT / "reports_templates").is_dir()


@dataclass(frozen=True)
class Settings:
    """Where things stand and what to compute on.

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

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings from `environment` (default: the process's own)."""
        env = os.environ if environment is None else environment
        default = CHECKOUT / "data" if in_checkout() else Path.cwd() / "data"
        data = Path(env.get("XAI_DATA") or default).expanduser().resolve()

        def folder(variable: str, name: str) -> Path:
            return Path(env.get(variable) or data / name).expanduser().resolve()

        device = env.get("XAI_DEVICE") or "auto"
        if device not in ("auto", "cpu", "cuda"):
            raise ValueError(f"XAI_DEVICE is {device!r}; it may be auto, cpu or cuda.")
        executor = env.get("XAI_EXECUTOR") or "auto"
        if executor not in EXECUTORS:
            raise ValueError(f"XAI_EXECUTOR is {executor!r}; it may be {', '.join(EXECUTORS)}.")
        listed = env.get("XAI_DEVICES")
        lost_after = env.get("XAI_LOST_AFTER") or str(cls.lost_after)
        if not lost_after.isdecimal() or int(lost_after) < LEAST_LOST_AFTER:
            raise ValueError(
                f"XAI_LOST_AFTER is {lost_after!r}; it is a number of seconds, {LEAST_LOST_AFTER} or more."
            )
        artifacts = env.get("XAI_ARTIFACTS") or ""
        shared = artifacts if "://" in artifacts else None
        return cls(
            data=data,
            artifacts=(data / "artifacts").resolve() if shared else folder("XAI_ARTIFACTS", "artifacts"),
            warehouse=folder("XAI_WAREHOUSE", "warehouse.duckdb"),
            reports=folder("XAI_REPORTS", "reports"),
            models=folder("XAI_MODELS", "models"),
            studies=folder("XAI_STUDIES", "studies"),
            device=device,
            devices=None
            if listed is None
            else tuple(part.strip() for part in listed.split(",") if part.strip()),
            locks=Path(env.get("XAI_LOCKS") or cls.locks).expanduser().resolve(),
            shared=shared,
            executor=executor,
            broker=env.get("XAI_BROKER") or None,
            lost_after=int(lost_after),
        )
