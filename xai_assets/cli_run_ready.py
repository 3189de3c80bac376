"""What `xai run` looks at before it begins: where the study's file is, and folders that can be written and have room."""

import os
from pathlib import Path

from xai_assets.error_text import FULL, free_bytes
from xai_assets.errors import XaiError
from xai_assets.execution.history import instance_folder
from xai_assets.settings import Settings
from xai_assets.study_file import StudyFile, study_paths

LEAST_ROOM = 32 * 2**20
"""Bytes; with less, a run cannot even keep its history and its reports."""


def ready(file: StudyFile, settings: Settings) -> str | None:
    """See whether a run could begin.

    Returns:
        A line where it may end for want of room; None otherwise.

    Raises:
        XaiError: the file is no study of these folders, a folder cannot be written, or a disk is full.
    """
    named = study_paths(settings).get(file.study.name)
    if named is None or named.resolve() != file.path:
        raise XaiError(
            str(file.path),
            "a run takes its study from the folder of studies",
            f"Put the file into {settings.studies}" + (f"; {named} has its name." if named else "."),
        )
    written = (
        settings.data,
        settings.artifacts,
        settings.warehouse.parent,
        settings.reports,
        instance_folder(settings),
    )
    for folder in dict.fromkeys(written):
        _writable(folder)
        if free_bytes(folder) < LEAST_ROOM:
            raise XaiError(str(folder), *FULL)
    return _short(file, settings)


def _writable(folder: Path) -> None:
    place = next(part for part in (folder, *folder.parents) if part.exists())
    if not os.access(place, os.W_OK | os.X_OK):
        raise XaiError(
            str(folder),
            "permission denied, or the disk is read-only",
            "Choose a folder that can be written, such as XAI_DATA=FOLDER.",
        )


def _short(file: StudyFile, settings: Settings) -> str | None:
    """The least that the study takes by its own words; `xai check` knows more, and takes longer."""
    from xai_assets.analysis.room import in_words, least_amounts, ran_before

    least, free = least_amounts(file).bytes, free_bytes(settings.artifacts)
    if ran_before(file, settings):
        return None  # most of it is there
    if free >= least:
        return None
    return (
        f"Little room: results take {in_words(least)} or more, {in_words(free)} are free at {settings.artifacts}. "
        "If the disk is full before the end, make room: the same command goes on."
    )
