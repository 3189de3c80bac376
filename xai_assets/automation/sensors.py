"""Sensors: a study is run when its images or its models change, and runs whose process is gone are ended."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg

from xai_assets.automation.in_progress import run_in_progress
from xai_assets.automation.jobs import study_job
from xai_assets.automation.partitions import studies
from xai_assets.automation.watched_files import Away, Seen, image_files, look, model_files
from xai_assets.execution.run_lock import locks_folder, sweep
from xai_assets.settings import Settings
from xai_assets.study_file import StudyError, StudyFile, read_study
from xai_assets.study_folder import folder_problem, odd_files, study_paths
from xai_assets.text import printable

SECONDS_BETWEEN_LOOKS = 30
CHANGED = "xai/changed"


def sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """All sensors. Those that start work start stopped; the one that ends dead runs starts running."""
    return [
        _changes(
            settings,
            "changed_images",
            image_files,
            "Runs a study when an image in its folders of images or of probe images is added, changed or removed.",
        ),
        _changes(
            settings,
            "changed_models",
            model_files,
            "Runs a study when its file, a checkpoint, its class names, its concepts or its encoder's weights change.",
        ),
        _lost_runs(settings),
    ]


def _changes(
    settings: Settings, name: str, files: Callable[[StudyFile], list[Path]], description: str
) -> dg.SensorDefinition:
    known = studies.get_partition_keys()

    @dg.sensor(
        name=name,
        job=study_job,
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=description,
    )
    def changes(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        cursor = _cursor(context.cursor)
        away = folder_problem(settings)
        requests = []
        notes = [away] if away and cursor else []
        for study, path in study_paths(settings).items():
            if study not in known:
                notes.append(f"{study} is new: reload the code location")
                continue
            before = dict(cursor.get(study, {}))
            if before.pop("file", str(path)) != str(path) and away:
                continue  # a shipped study has the name of one that is away
            if running := run_in_progress(context.instance, study):
                notes.append(f"{study}: {running}; it is looked at when that has ended")
                continue
            try:
                paths = files(read_study(path))
                seen, changed = look(paths, Seen(**before) if before else None)
            except StudyError as error:
                notes.append(f"{study} is not valid: {error.problems[0]}")
                continue
            except Away as error:
                notes.append(f"{study}: {error.what} {error.why}; that counts as no change")
                continue
            except OSError as error:
                notes.append(f"{study}: {printable(str(error.filename))} cannot be read ({error.strerror})")
                continue
            cursor[study] = seen.to_dict() | {"file": str(path)}
            if changed:
                # The key has the times of change in it: a file that is changed back is run again.
                requests.append(
                    dg.RunRequest(
                        run_key=f"{name}:{study}:{seen.signature}", partition_key=study, tags={CHANGED: name}
                    )
                )
        notes += [odd.why for odd in odd_files(settings)]
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else "; ".join(["nothing has changed", *notes]),
            cursor=json.dumps(cursor, sort_keys=True),
        )

    return changes


def _lost_runs(settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends runs whose process was killed, which would stay STARTED for ever.",
    )
    def lost_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ended = sweep(context.instance, locks_folder(settings))
        return dg.SkipReason(
            f"ended {', '.join(ended)}" if ended else "every run in progress has its process"
        )

    return lost_runs


def _cursor(text: str | None) -> dict[str, Any]:
    """What the last look saw, by study. A cursor that a person has set to something else counts as no look yet."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {study: seen for study, seen in found.items() if isinstance(seen, dict)}
