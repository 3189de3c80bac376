"""`xai studies`: the studies that there are, the files that are none, and the fields that a study may have."""

from pathlib import Path

import click

from xai_assets.cli_say import say, say_json
from xai_assets.settings import Settings, shipped
from xai_assets.study import Study
from xai_assets.study_fields import fields
from xai_assets.study_file import StudyError, read_study
from xai_assets.study_folder import folder_problem, odd_files, study_paths
from xai_assets.text import printable

Row = dict[str, str | None]


@click.command(short_help="List the studies, or the fields of a study.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="print JSON: name, file, title or problem, schedule, timezone and note",
)
@click.option("--fields", "as_fields", is_flag=True, help="list every field that a study may have")
def studies(as_json: bool, as_fields: bool) -> None:
    """List the studies that can be run, and the files beside them that cannot, with the reason."""
    if as_fields:
        for line in fields():
            say(line)
        return
    settings = Settings.from_environment()
    rows = listed(settings)
    if as_json:
        say_json(rows)
        return
    for row in rows:
        said = f"not valid: {row['problem']}" if row["problem"] else printable(str(row["title"]))
        when = f"  ({row['schedule']}, {row['timezone']})" if row["schedule"] else ""
        say(f"{row['name']:24} {said}{when}")
        if row["note"]:
            say(f"{'':24} {row['note']}", err=True)
    if problem := folder_problem(settings):
        say(f"{problem}; these are the shipped ones", err=True)


def listed(settings: Settings) -> list[Row]:
    """A row a study, valid or not, and a row a file that no study can be in."""
    rows: list[Row] = []
    for name, path in study_paths(settings).items():
        row: Row = {"name": name, "file": printable(str(path)), "title": None, "schedule": None}
        row |= {"timezone": None, "problem": None, "note": None}
        try:
            study = read_study(path).study
        except StudyError as error:
            rows.append(row | {"problem": error.problems[0]})
            continue
        when = {"schedule": study.schedule, "timezone": study.timezone if study.schedule else None}
        rows.append(row | {"title": study.title, **when, "note": _note(study, path)})
    for odd in odd_files(settings):
        row = dict.fromkeys(("title", "schedule", "timezone", "note"))
        rows.append(row | {"name": odd.name, "file": printable(str(odd.path)), "problem": odd.why})
    return rows


def _note(study: Study, path: Path) -> str | None:
    notes = []
    other = shipped("studies") / f"{study.name}.yaml"
    if other.is_file() and other.resolve() != path.resolve():
        notes.append(f"it is {printable(str(path))}, and not the shipped study of that name")
    if study.schedule:
        from xai_assets.automation.schedules import (
            schedule_problem,  # Dagster, which the others need not wait for
        )

        notes.append(schedule_problem(study) or "")
    return "; ".join(note for note in notes if note) or None
