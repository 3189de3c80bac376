"""The history of runs: Dagster's instance, opened by one process at a time, checked, and with telemetry off.

Dagster creates its SQLite files without a lock: two processes that open a new folder at once leave a file that names two
versions of its schema, which no later process can open. Every entry point of ours opens its instance here.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xai_assets.errors import XaiError
from xai_assets.execution.history_files import HistoryError, check_files
from xai_assets.execution.locks import try_lock
from xai_assets.settings import Settings, shipped

if TYPE_CHECKING:
    from dagster import DagsterInstance
    from dagster._core.instance.ref import InstanceRef

QUIET: dict[str, Any] = {"telemetry": {"enabled": False}, "nux": {"enabled": False}}
"""What every instance of ours is opened with: Dagster sends nothing, and writes nothing to the home folder."""

KEPT_IN = ("storage", "local_artifact_storage", "compute_logs")
"""Sections of dagster.yaml that say where things are kept, which here follows the data folder."""

SECONDS_TO_WAIT = 60.0
"""Opening takes a second or two, the first time included."""

SECONDS_BETWEEN_TRIES = 0.05


def instance_folder(settings: Settings) -> Path:
    """The folder of the history: DAGSTER_HOME if it is set, otherwise `dagster` in the data folder."""
    home = os.environ.get("DAGSTER_HOME")
    return Path(home).expanduser().resolve() if home else settings.data / "dagster"


def open_instance(home: Path) -> "DagsterInstance":
    """Dagster's instance at `home`, as its dagster.yaml says if it has one, with telemetry off.

    Raises:
        HistoryError: the folder cannot be written, or the history is damaged.
    """
    from dagster import DagsterInstance
    from sqlalchemy.exc import DatabaseError

    reference = _reference(home)
    files = _databases(reference)
    if not files:  # PostgreSQL or another store that has locks of its own
        return DagsterInstance.from_ref(reference)
    with _opening(files[0].parent):
        check_files(files, repair=True)
        try:
            instance = DagsterInstance.from_ref(reference)
            instance.schedule_storage  # noqa: B018  the storages are made when they are first asked for
            instance.event_log_storage  # noqa: B018
            instance.run_storage  # noqa: B018
        except (DatabaseError, OSError) as error:
            raise HistoryError.unusable(files[0].parent, error) from error
        return instance


def check_history(home: Path) -> None:
    """Raise HistoryError where the history at `home` is damaged; creates and changes nothing."""
    if home.is_dir():
        check_files(_databases(_reference(home)), repair=False)


def quiet(reference: "InstanceRef") -> "InstanceRef":
    """The same instance, with telemetry off: for a reference that another process made."""
    return reference._replace(settings={**reference.settings, **QUIET})


def _reference(home: Path) -> "InstanceRef":
    import yaml
    from dagster import DagsterError
    from dagster._core.instance.ref import InstanceRef

    try:
        home.mkdir(parents=True, exist_ok=True)
        return InstanceRef.from_dir(str(home), overrides={**_usual(home), **QUIET})
    except OSError as error:
        raise HistoryError.unusable(home, error) from error
    except (DagsterError, yaml.YAMLError, UnicodeDecodeError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise XaiError(
            str(home / "dagster.yaml"),
            "is not a configuration of a Dagster instance",
            f"Correct it or remove it ({first}).",
        ) from error


def _usual(home: Path) -> dict[str, Any]:
    """What the shipped dagster.yaml says beside where things are kept; nothing where `home` has a file of its own."""
    import yaml

    if (home / "dagster.yaml").is_file():
        return {}
    given = yaml.safe_load(shipped("dagster.yaml").read_text(encoding="utf-8"))
    return {name: value for name, value in given.items() if name not in KEPT_IN}


def _databases(reference: "InstanceRef") -> list[Path]:
    """The SQLite files of an instance, that of the runs first; none where it keeps its history elsewhere."""
    whole = reference.storage_data
    assert whole is not None  # Dagster gives a default
    if whole.class_name == "DagsterSqliteStorage":
        base = Path(whole.config_dict["base_dir"])
        return [
            base / "history" / "runs.db",
            base / "history" / "runs" / "index.db",
            base / "schedules" / "schedules.db",
        ]
    if whole.class_name != "CompositeStorage":
        return []
    parts = {
        "SqliteRunStorage": (reference.run_storage_data, "runs.db"),
        "SqliteEventLogStorage": (reference.event_storage_data, "index.db"),
        "SqliteScheduleStorage": (reference.schedule_storage_data, "schedules.db"),
    }
    return [
        Path(data.config_dict["base_dir"]) / name
        for kind, (data, name) in parts.items()
        if data is not None and data.class_name == kind
    ]


@contextmanager
def _opening(folder: Path) -> Iterator[None]:
    """Only this process opens the history that is in `folder`, for as long as it takes."""
    path = folder / ".opening.lock"
    until = time.monotonic() + SECONDS_TO_WAIT
    try:
        while (handle := try_lock(path)) is None:
            if time.monotonic() > until:
                raise HistoryError(
                    str(folder),
                    f"another process has been opening the history for {SECONDS_TO_WAIT:.0f} s",
                    f"End that process (`fuser {path}` names it) and try again.",
                )
            time.sleep(SECONDS_BETWEEN_TRIES)
    except OSError as error:
        raise HistoryError.unusable(folder, error) from error
    try:
        yield
    finally:
        os.close(handle)
