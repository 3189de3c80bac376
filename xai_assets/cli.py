"""The command `xai`: studies from a terminal. What it runs is the same asset graph as in the UI."""

import sys
from datetime import datetime
from pathlib import Path

import click

from xai_assets.cli_check import check
from xai_assets.cli_concepts import concepts
from xai_assets.cli_init import init
from xai_assets.cli_layers import layers
from xai_assets.cli_lime import lime
from xai_assets.cli_look import look
from xai_assets.cli_main import Group
from xai_assets.cli_prune import prune
from xai_assets.cli_say import say, say_json
from xai_assets.cli_sql import sql
from xai_assets.cli_studies import studies
from xai_assets.cli_ui import ui
from xai_assets.cli_verify import verify as verify_maps
from xai_assets.cli_worker import worker
from xai_assets.own_caches import keep_inside
from xai_assets.settings import EXECUTORS, Settings


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xai-assets")
def cli() -> None:
    """Explainability of image classifiers, as Dagster assets with reports."""


cli.add_command(check)
cli.add_command(concepts)
cli.add_command(init)
cli.add_command(layers)
cli.add_command(lime)
cli.add_command(look)
cli.add_command(prune)
cli.add_command(sql)
cli.add_command(studies)
cli.add_command(ui)
cli.add_command(verify_maps)
cli.add_command(worker)


@cli.command(
    epilog="Examples: `xai run demo`; `xai run demo --only lime_masks`; `xai run demo --only '+mask_tables'`, "
    "which is the tables of the masks and everything they are made from; `--only group:reports`."
)
@click.argument("study")
@click.option(
    "--only",
    multiple=True,
    metavar="ASSETS",
    help="these assets alone, by name or in Dagster's selection syntax; may be given again",
)
@click.option(
    "--executor",
    type=click.Choice(EXECUTORS),
    default="auto",
    show_default=True,
    help="all steps in this process, or each in its own with a GPU of its own; auto: what XAI_EXECUTOR says, else "
    "the latter where there is a GPU; "
    "celery: by the workers of several hosts (see `xai worker`)",
)
@click.option(
    "--on-no-gpu",
    type=click.Choice(["cpu", "fail"]),
    help="gpu_tagged without a GPU: run on the CPU (as it does when nothing is said), or fail",
)
@click.option(
    "--cpu-slots", type=click.IntRange(1), help="gpu_tagged without a GPU: steps on the CPU at once"
)
@click.option(
    "--quick",
    "effort",
    flag_value="quick",
    help="a first look: LIME stops where its mask is stable, and faithfulness and robustness after 20 s each",
)
@click.option("--full", "effort", flag_value="full", help="all that the study asks for, without its budgets")
def run(
    study: str,
    only: tuple[str, ...],
    executor: str,
    on_no_gpu: str | None,
    cpu_slots: int | None,
    effort: str | None,
) -> None:
    """Materialise every asset of STUDY (a name, see `xai studies`), and say where the reports are."""
    from xai_assets.cli_run import run_study

    given = {"on_no_gpu": on_no_gpu, "cpu_slots": cpu_slots}
    options = {name: value for name, value in given.items() if value is not None}
    if options and executor != "gpu_tagged":
        raise click.UsageError("--on-no-gpu and --cpu-slots go with --executor gpu_tagged")
    sys.exit(run_study(study, Settings.from_environment(), {executor: options}, only, effort))


@cli.command()
@click.argument("study", required=False)
@click.option("--json", "as_json", is_flag=True, help="print JSON: study, report, file and when it was made")
def reports(study: str | None, as_json: bool) -> None:
    """List the reports that were made, of STUDY or of all; exit code 1 where there are none."""
    rows = [
        {
            "study": path.parent.name,
            "report": path.stem,
            "file": str(path),
            "made": datetime.fromtimestamp(path.stat().st_mtime).astimezone().isoformat(timespec="seconds"),
        }
        for path in sorted(Settings.from_environment().reports.glob("*/*.pdf"))
        if study in (None, path.parent.name)
    ]
    if as_json:
        say_json(rows)
    for row in [] if as_json else rows:
        say(f"{row['study']:24} {row['report']:12} {row['made']}  {row['file']}")
    if not rows and not as_json:
        say(f"no reports{' of ' + study if study else ''} yet: `xai run` makes them", err=True)
    sys.exit(0 if rows else 1)


@cli.group(cls=Group)
def world() -> None:
    """Diorama, the embedded picture world: render it, verify it, train its models again."""


@world.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--count", default=1000, show_default=True, type=click.IntRange(1), help="how many scenes")
@click.option("--split", default="probe", show_default=True, help="which scenes: probe, validation or test")
def render(folder: Path, count: int, split: str) -> None:
    """Write COUNT scenes with all their labels to FOLDER, in Broden's published layout."""
    from xai_assets.cli_progress import bar
    from xai_assets.world.broden import write_probe

    with bar(f"rendering {split}") as progress:
        write_probe(folder, split=split, count=count, progress=progress)
    say(folder)


@world.command()
def verify() -> None:
    """Render a sample of every split again and compare it byte for byte with the shipped manifest."""
    from xai_assets.cli_progress import bar
    from xai_assets.world.manifest import verify as compare

    with bar("verifying") as progress:
        report = compare(progress)
    for difference in report.differences:
        say(f"different: {difference}", err=True)
    say(f"{report.checked} pictures rendered again, {len(report.differences)} differ from the manifest")
    sys.exit(0 if report.passed else 1)


@world.command()
@click.option("--only", multiple=True, type=click.Choice(["object", "scene", "clip"]), help="these only")
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path), required=True, help="folder to write to"
)
@click.option("--device", default="cpu", show_default=True, type=click.Choice(["cpu", "cuda"]))
@click.option("--seed", default=0, show_default=True)
def train(only: tuple[str, ...], output: Path, device: str, seed: int) -> None:
    """Train the shipped models again from nothing (about an hour of CPU time)."""
    from xai_assets.world.training import run as train_all

    numbers = train_all(
        output, only=only or ("object", "scene", "clip"), device=device, seed=seed, progress=say
    )
    for name, value in numbers.items():
        say(f"{name}: {value}")


@cli.command()
def doctor() -> None:
    """Say what this machine has, and what is missing."""
    from xai_assets.doctor import examine

    findings = examine(Settings.from_environment())
    for finding in findings:
        say(f"{'ok     ' if finding.ok else 'problem'} {finding.what}: {finding.found}")
        if not finding.ok:
            say(f"        {finding.remedy}")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


def main() -> None:
    """The program `xai`; how it ends is in `cli_main`."""
    keep_inside()
    cli()
