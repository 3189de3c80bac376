"""`xai lime`: parameters of LIME brought in from an older tool, graded against reference masks, and searched for."""

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xai_assets.cli_main import Group
from xai_assets.cli_say import say, say_json, say_lines
from xai_assets.files import write_text
from xai_assets.settings import Settings
from xai_assets.study_edit import block_text, check_writable, write_entries
from xai_assets.study_file import StudyFile, find_study

if TYPE_CHECKING:
    from xai_assets.analysis.reference_masks import Lies
    from xai_assets.attribution.parameters import LimeParameters

PARTLY = 1
"""Exit code where some images were left out, each of them named."""

NOTHING = 2
"""Exit code where nothing could be done."""

TRIALS = 9
MOST_TRIALS = 9000
"""Candidates an image where only time limits them."""

LIES = click.Choice(["original", "model"])
LIES_HELP = (
    "what the masks are drawn on: the original pictures, or what the model sees of them; never resized"
)
OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=Group)
def lime() -> None:
    """LIME's parameters: import them, grade them against reference masks, search for better ones."""


@lime.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--study", help="write the entries into this study (a name or a file)")
@click.option("--output", type=OUTPUT, help="write them to a YAML file of their own")
def import_(file: Path, study: str | None, output: Path | None) -> None:
    """Read a pickle of LIME parameters by image, and write them as YAML (to the terminal unless told otherwise).

    Nothing in the pickle is run: whatever is more than plain data is refused. Exit code 0; 1 when some images were
    left out; 2 when all were, and nothing was written.
    """
    from xai_assets.interop.legacy_lime import read_legacy_lime

    if study and output:
        raise click.UsageError("give --study or --output, not both")
    found = read_legacy_lime(file)
    for note in found.notes:
        say(f"{file.name}: {note}", err=True)
    entries, left_out = dict(found.parameters), dict(found.refused)
    target = find_study(study, Settings.from_environment()) if study else None
    if target:
        entries, unmatched = _for_the_study(target, entries)
        left_out |= unmatched
    for image, why in left_out.items():
        say(f"{file.name}: {image}: left out: {why}", err=True)
    if not entries:
        say(f"{file.name}: no image is left, nothing was written", err=True)
        sys.exit(NOTHING)
    heading = f"LIME parameters by image, from {file.name}; they belong under `attribution:` of a study."
    if target:
        say(f"{write_entries(target, entries)}: {len(entries)} entries of lime_per_image")
    elif output:
        say(f"{write_text(output, block_text(entries, heading=heading))}: {len(entries)} entries")
    else:
        say_lines(block_text(entries, heading=heading))
    if len(entries) > 1 and len(set(entries.values())) == 1:
        say("All entries are the same: `attribution.methods.lime` would say it once.", err=True)
    sys.exit(PARTLY if left_out else 0)


def _for_the_study(
    target: StudyFile, entries: Mapping[str, "LimeParameters"]
) -> tuple[dict[str, "LimeParameters"], dict[str, str]]:
    """The entries by the study's own image names, and why the others fit none."""
    from xai_assets.analysis.images import image_names
    from xai_assets.interop.legacy_lime import match_images

    found, unmatched = match_images(entries, image_names(target))
    meant: dict[str, list[str]] = {}
    for name, image in found.items():
        meant.setdefault(image, []).append(name)
    for image, spellings in meant.items():
        if len(spellings) > 1:
            unmatched |= {name: f"{' and '.join(spellings)} mean {image}" for name in spellings}
    return {image: entries[names[0]] for image, names in meant.items() if len(names) == 1}, unmatched


@lime.command()
@click.argument("study")
@click.option(
    "--masks",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="folder of reference masks",
)
@click.option("--frame", "lies", default="original", show_default=True, type=LIES, help=LIES_HELP)
@click.option("--json", "as_json", is_flag=True, help="print the grade as JSON")
def grade(study: str, masks: Path, lies: "Lies", as_json: bool) -> None:
    """Compare STUDY's LIME masks with reference masks: PNG files by image name, white inside.

    Prints avg_iou, avg_time (seconds an image and class) and the table by image. Maps that are there are not computed
    again. Exit code 0; 1 when some image has no grade; 2 when none has.
    """
    from xai_assets.analysis.lime_grading import grade as grade_study
    from xai_assets.analysis.workbench import Workbench
    from xai_assets.cli_progress import bar

    with bar(f"LIME of {study}") as progress:
        bench = Workbench.open(study, progress=progress)
        found = grade_study(bench, masks, lies=lies)
    if as_json:
        say_json({"study": bench.study.name, "frame": lies, **found.as_json()})
    else:
        for row in found.table.to_dict("records"):
            say(
                f"{row['image_id']:32} {row['target_name']:16} IoU {number(row['iou'])}"
                f"  chance {number(row['chance_iou'])}  {row['seconds']:8.3f} s"
            )
        say(f"avg_iou  {number(found.avg_iou)} over {found.graded} (chance {number(found.avg_chance_iou)})")
        say(f"avg_time {number(found.avg_time)} s")
    for problem in (*bench.tally.problems, *bench.tally.set_aside):
        say(problem, err=True)
    for case, why in found.absent.items():
        say(f"{case}: no grade: {why}", err=True)
    if not found.graded:
        sys.exit(NOTHING)
    sys.exit(PARTLY if found.absent or bench.tally.lost else 0)


@lime.command()
@click.argument("study")
@click.option(
    "--images", "only", multiple=True, metavar="NAME", help="these images only; may be given several times"
)
@click.option(
    "--trials", type=click.IntRange(1, MOST_TRIALS), help=f"candidates an image  [default: {TRIALS}]"
)
@click.option(
    "--budget", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="end the search then"
)
@click.option("--masks", type=click.Path(file_okay=False, path_type=Path), help="folder of reference masks")
@click.option("--frame", "lies", default="original", show_default=True, type=LIES, help=LIES_HELP)
@click.option(
    "--output", type=OUTPUT, help="write the entries to a YAML file of their own; STUDY stays as it is"
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1), help="of the search")
def tune(
    study: str,
    only: tuple[str, ...],
    trials: int | None,
    budget: float | None,
    masks: Path | None,
    lies: "Lies",
    output: Path | None,
    seed: int,
) -> None:
    """Search segmentation, samples, features and hide colour of LIME for each image of STUDY.

    Candidates are judged by reference masks where there are some (--masks, or the true masks of the embedded world),
    else by the surrogate's fit and by stability over seeds. The same --trials and --seed give the same parameters;
    with --budget alone, how many candidates are tried is up to the machine. What was found goes into the study's
    lime_per_image, and everything that was tried into a log beside it (JSON lines).
    """
    from xai_assets.analysis.lime_tuning import tune_study
    from xai_assets.analysis.workbench import Workbench
    from xai_assets.cli_progress import bar

    settings = Settings.from_environment()
    file = find_study(study, settings)
    if output is None:
        check_writable(file)
    with bar(f"LIME of {file.study.name}") as progress:
        found = tune_study(
            Workbench(settings, file, progress),
            only=only,
            masks=masks,
            lies=lies,
            candidates=trials or (MOST_TRIALS if budget else TRIALS),
            budget=budget,
            seed=seed,
        )
    for choice in found.tuning.choices:
        what = (
            f"{number(choice.base_score)} -> {number(choice.score)}  {choice.parameters.segmentation.name}, "
        )
        what += f"{choice.parameters.most_samples} samples"
        say(f"{choice.image_id:32} {choice.judged_by:9} {what if choice.changed else 'kept'}")
    for name, value in found.summary().items():
        say(f"{name:20} {number(value) if isinstance(value, float) else '-' if value is None else value}")
    for case, why in found.absent.items():
        say(f"{case}: {why}", err=True)
    for warning in found.warnings:
        say(warning, err=True)
    target = output or file.path
    log = write_text(target.with_suffix(".lime-tuning.jsonl"), found.log())
    say(f"everything that was tried: {log}")
    if not found.changed:
        say("Nothing scored higher than what the study has; it stays as it is.")
    elif output:
        heading = f"LIME parameters by image for the study {file.study.name}, found by `xai lime tune`, seed {seed}."
        say(f"{write_text(output, block_text(found.changed, heading=heading))}: {len(found.changed)} entries")
    else:
        say(f"{write_entries(file, found.changed)}: {len(found.changed)} entries of lime_per_image")


def number(value: float | None) -> str:
    """Three decimals, or a dash for a number that there is none of."""
    return "-" if value is None or math.isnan(value) else f"{value:.3f}"
