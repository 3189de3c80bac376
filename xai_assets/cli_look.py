"""`xai look`: a first look at photographs, on one page, without a study."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xai_assets.cli_say import say, say_json
from xai_assets.errors import XaiError
from xai_assets.files import write_bytes
from xai_assets.settings import Settings
from xai_assets.text import printable

if TYPE_CHECKING:
    from xai_assets.analysis.look import Look

PARTLY = 1
"""Exit code where some files were left out, each of them named."""

NOTHING = 2
"""Exit code where no photograph could be looked at: no page is written."""

MOST = 60
"""Photographs on a page, unless told otherwise."""


def model_options(command: Any) -> Any:
    """The options by which a command is given a model without a study."""
    for option in (
        click.option("--preprocessing", metavar="YAML", help="how an image becomes its input, as in a study"),
        click.option(
            "--architecture", metavar="NAME", help="what the weights are of, such as timm/resnet10t"
        ),
        click.option(
            "--classes", metavar="FILE", help="class names, one a line, in the order of the outputs"
        ),
        click.option("--checkpoint", metavar="FILE", help="weights of your own: .safetensors, .pth or .pt"),
    ):
        command = option(command)
    return command


@click.command(
    short_help="Look at photographs: what a model answers, and where it looks; one page, no study."
)
@click.argument("photographs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--model",
    metavar="NAME",
    help="of the zoo (lite/efficientnet-lite0 unless told otherwise), or with a checkpoint an architecture",
)
@model_options
@click.option(
    "--layer", metavar="PATH", help="the target layer; unless told otherwise the last with positions"
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("look.html"),
    show_default=True,
    help="the page; its PDF is beside it",
)
@click.option("--most", default=MOST, show_default=True, type=click.IntRange(1), help="photographs on a page")
@click.option("--json", "as_json", is_flag=True, help="print JSON as well: what the page says")
def look(
    photographs: tuple[Path, ...],
    model: str | None,
    checkpoint: str | None,
    classes: str | None,
    architecture: str | None,
    preprocessing: str | None,
    layer: str | None,
    output: Path,
    most: int,
    as_json: bool,
) -> None:
    """Look at PHOTOGRAPHS (files and folders) through a model, and write one page as HTML and PDF.

    Each photograph with the crop that the model sees, its likeliest classes and Grad-CAM for the predicted one. Nothing
    is kept but the page. A page of an earlier look is written over, any other file is not.

    Exit code 0; 1 where some files were left out; 2 where none could be used, or something was wrong before.
    """
    html, pdf = output.with_suffix(".html"), output.with_suffix(".pdf")
    for path in (html, pdf):
        _refuse_other(path)
    started = time.perf_counter()
    found, more = _looked(photographs, most, layer, model, checkpoint, classes, architecture, preprocessing)
    for name, why in found.left_out:
        say(f"left out: {name}: {why}", err=True)
    if not found.photographs:
        say("no photograph could be used, and no page was written", err=True)
        sys.exit(NOTHING)
    for line in found.assumed:
        say(line, err=True)
    data = _write(found, html, pdf, time.perf_counter() - started)
    if as_json:
        say_json(data)
    else:
        for item in data["images"]:
            said = f"{item['probability']:4.0%} {item['predicted']}"
            say(f"{item['name'][:34]:34} {said:32} sees {item['seen']:.0%}")
        if more:
            say(f"{more:,} more photographs are not on the page (--most)", err=True)
        say(f"{html} and {pdf.name}: Grad-CAM at {found.layer}, {time.perf_counter() - started:.1f} s")
    sys.exit(PARTLY if found.left_out else 0)


def _looked(
    photographs: tuple[Path, ...],
    most: int,
    layer: str | None,
    model: str | None,
    checkpoint: str | None,
    classes: str | None,
    architecture: str | None,
    preprocessing: str | None,
) -> tuple["Look", int]:
    from xai_assets.cli_progress import Steps

    with Steps(0) as steps:
        steps.begin("starting")
        from xai_assets.analysis import look as looking
        from xai_assets.analysis.given_model import given_model

        paths, left_out, count = looking.photographs_of(photographs, most)
        given = given_model(
            model,
            checkpoint=checkpoint,
            classes=classes,
            architecture=architecture,
            preprocessing=preprocessing,
        )
        found = looking.look(
            given,
            paths,
            Settings.from_environment(),
            layer=layer,
            progress=lambda done, total: steps.watch("photographs")(done, total),
            begins=steps.follow,
        )
    found.left_out[:0] = left_out
    return found, count - len(paths)


def _write(found: "Look", html: Path, pdf: Path, seconds: float) -> dict[str, Any]:
    from xai_assets.analysis.given_model import in_words
    from xai_assets.reporting import look as reporting
    from xai_assets.reporting.pictures import Pictures

    pictures, classifier = Pictures(), found.classifier
    images = [
        reporting.shown(
            pictures,
            name=printable(one.name),
            pixels=one.pixels,
            frame=one.frame,
            view=one.view,
            overlay=one.overlay,
            blank=one.blank,
            classes=one.classes,
            notes=one.notes,
            alone=len(found.photographs) == 1,
        )
        for one in found.photographs
    ]
    model = {
        "name": classifier.name,
        "architecture": classifier.architecture,
        "classes": len(classifier.class_names),
        "sha256": classifier.sha256,
        "layer": found.layer,
        "chosen": found.chosen,
        "preprocessing": in_words(classifier.preprocessing.spec),
        "notes": found.notes,
    }
    text, document, data = reporting.page(
        pictures, images=images, left_out=found.left_out, model=model, seconds=seconds
    )
    write_bytes(html, text.encode("utf-8"))
    write_bytes(pdf, document)
    return data


def _refuse_other(path: Path) -> None:
    """Raise XaiError where a file that is no page of an earlier look would be written over."""
    if not path.exists():
        return
    from xai_assets.reporting.look_mark import is_look

    if not is_look(path):
        raise XaiError(
            str(path), "a file of that name is there, and is no page of `xai look`", "Give another --output."
        )
