"""`xai init`: a new study, written as commented YAML and read again before it is kept."""

import re
from pathlib import Path
from typing import Any

import click

from xai_assets.cli_look import model_options
from xai_assets.cli_say import say
from xai_assets.errors import XaiError
from xai_assets.files import write_text
from xai_assets.settings import Settings
from xai_assets.study import STUDY_NAME
from xai_assets.study_file import study_from, study_paths
from xai_assets.study_folder import NAME_RULE
from xai_assets.study_new import from_folder, study_text
from xai_assets.text import printable

SUBFOLDERS = "subfolders"
"""`--labels` of images that lie in folders with the names of their classes."""


@click.command(short_help="Write a new study: commented YAML, to check and run.")
@click.argument("name")
@click.option(
    "--model", required=True, metavar="MODEL", help="of the zoo, or with a checkpoint an architecture"
)
@click.option(
    "--images", required=True, type=click.Path(path_type=Path), help="the folder of images that are explained"
)
@model_options
@click.option(
    "--labels", metavar="FILE", help="`subfolders`, a CSV file (image,label), or COCO's instances_*.json"
)
@click.option(
    "--layer", metavar="PATH", help="the target layer; unless told otherwise the last with positions"
)
@click.option("--title", help="of the report's front page")
def init(
    name: str,
    model: str,
    images: Path,
    checkpoint: str | None,
    classes: str | None,
    architecture: str | None,
    preprocessing: str | None,
    labels: str | None,
    layer: str | None,
    title: str | None,
) -> None:
    """Write the study NAME into the folder of studies, each field with a comment that says what it is for.

    The file is read as any study before it is kept, and no file is written over. Exit code 0; 2 where something that it
    names is wrong or missing, and nothing was written.
    """
    settings = Settings.from_environment()
    path = settings.studies / f"{name}.yaml"
    _refuse(name, path, settings)
    for what, given in (("--images", images), ("--checkpoint", checkpoint), ("--classes", classes)):
        _there(what, given)
    if labels != SUBFOLDERS:
        _there("--labels", labels)
    spec = _model(settings.studies, model, checkpoint, classes, architecture, preprocessing)
    text = study_text(
        title=title or f"Where {spec['name']} looks",
        model=spec,
        images=from_folder(images, settings.studies),
        labels=labels if labels in (None, SUBFOLDERS) else from_folder(str(labels), settings.studies),
        layer=layer,
    )
    study_from(text.encode("utf-8"), path)
    write_text(path, text)
    say(path)
    say(f"next: `xai check {name}` (layers, classes, files), then `xai run {name}`")


def _refuse(name: str, path: Path, settings: Settings) -> None:
    if not re.fullmatch(STUDY_NAME, name):
        raise XaiError(f"the name {printable(name)!r}", NAME_RULE, "Give another name.")
    there = study_paths(settings).get(name) or (path if path.exists() or path.is_symlink() else None)
    if there is not None:
        raise XaiError(f"the study {name}", f"it is there: {there}", "Give another name, or edit that file.")


def _there(option: str, given: str | Path | None) -> None:
    if given is not None and not Path(given).expanduser().exists():
        raise XaiError(
            f"{option} {printable(str(given))}", "there is no such file or folder", "Check the path."
        )


def _model(
    folder: Path,
    model: str,
    checkpoint: str | None,
    classes: str | None,
    architecture: str | None,
    preprocessing: str | None,
) -> dict[str, Any]:
    """The fields of the study's model, paths from the study's folder."""
    from xai_assets.analysis.given_model import given_model  # torchvision, which a typo need not wait for

    given = given_model(
        model,
        checkpoint=checkpoint,
        classes=classes,
        architecture=architecture,
        preprocessing=preprocessing,
    )
    if given.class_names is not None:
        raise XaiError(
            f"the checkpoint {checkpoint}",
            "its classes have no names",
            "Add --classes FILE, one name a line.",
        )
    for line in given.notes:
        say(line, err=True)
    fields = given.spec.model_dump(mode="json", exclude_defaults=True)
    for name in ("checkpoint", "class_names"):
        if name in fields:
            fields[name] = from_folder(fields[name], folder)
    return fields
