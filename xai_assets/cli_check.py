"""`xai check`: what can be known of a study before anything is run."""

import sys
from dataclasses import asdict
from typing import Any

import click

from xai_assets.cli_say import say, say_json
from xai_assets.settings import Settings
from xai_assets.study_file import StudyError, find_study

NOT_FIT = 1
NOT_READY = 2
"""Exit codes: something that is there does not fit; the study is not valid, or something is missing."""


@click.command()
@click.argument("study")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="print JSON: valid, ready, problems, and each thing that was looked at",
)
def check(study: str, as_json: bool) -> None:
    """Validate STUDY (a name or a file): its fields, files, weights, layers, classes, pictures, and room on the disk.

    Nothing is run or downloaded. Exit code 0: it can be run; 1: something does not fit, such as a layer that a model
    does not have, or a disk that is too small; 2: it is not valid, or files are missing.
    """
    try:
        file_name, found = _look(study)
    except StudyError as error:
        if as_json:
            _print({"valid": False, "ready": False, "problems": list(error.problems), "found": []})
        else:
            for line in error.lines:
                say(line, err=True)
            say(error.remedy, err=True)
        sys.exit(NOT_READY)
    states = {row["state"] for row in found}
    if as_json:
        problems = [f"{row['what']}: {row['said']}" for row in found if row["state"] in ("missing", "unfit")]
        _print({"valid": True, "ready": not problems, "problems": problems, "found": found})
    else:
        say(f"{file_name}: valid")
        for row in found:
            bad = row["state"] in ("missing", "unfit")
            say(f"{row['state']:7} {row['what']}: {row['said']}", err=bad)
    sys.exit(NOT_READY if "missing" in states else NOT_FIT if "unfit" in states else 0)


def _look(study: str) -> tuple[str, list[dict[str, Any]]]:
    settings = Settings.from_environment()
    file = find_study(study, settings)
    scheduled: list[dict[str, Any]] = []
    if file.study.schedule:
        from xai_assets.automation.schedule_check import schedule_found

        scheduled = schedule_found(file, settings)
    from xai_assets.analysis.precheck import precheck  # torch, which a typo need not wait for

    return file.path.name, [*(asdict(found) for found in precheck(file, settings)), *scheduled]


def _print(what: dict[str, Any]) -> None:
    say_json(what)
