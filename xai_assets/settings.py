"""Every XAI_* setting, read in one place."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent

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
        artifacts: XAI_ARTIFACTS; content-addressed results.
        warehouse: XAI_WAREHOUSE; the DuckDB file.
        reports: XAI_REPORTS; PDF, HTML and JSON by study.
        models: XAI_MODELS; weight files that were downloaded or put there by hand.
        studies: XAI_STUDIES; the user's studies. Shipped studies are found as well.
        device: XAI_DEVICE; "auto", "cpu" or "cuda".
        devices: XAI_DEVICES; CUDA devices, comma-separated, in place of those that are found. None: those that are.
        locks: XAI_LOCKS; the folder of the locks by which all runs on this host share its devices.
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
        listed = env.get("XAI_DEVICES")
        return cls(
            data=data,
            artifacts=folder("XAI_ARTIFACTS", "artifacts"),
            warehouse=folder("XAI_WAREHOUSE", "warehouse.duckdb"),
            reports=folder("XAI_REPORTS", "reports"),
            models=folder("XAI_MODELS", "models"),
            studies=folder("XAI_STUDIES", "studies"),
            device=device,
            devices=None
            if listed is None
            else tuple(part.strip() for part in listed.split(",") if part.strip()),
            locks=Path(env.get("XAI_LOCKS") or cls.locks).expanduser().resolve(),
        )
