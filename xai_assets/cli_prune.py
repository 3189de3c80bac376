"""`xai prune`: remove what no study needs any more."""

import sys
import time
from typing import TYPE_CHECKING

import click

from xai_assets.cli_prune_rows import prune_rows
from xai_assets.cli_say import say, say_json
from xai_assets.settings import Settings

if TYPE_CHECKING:
    from xai_assets.analysis.prune_rules import Item

DAYS = 30
MIB = 2**20
NAMED = 5
FAILED = 1


@click.command()
@click.option(
    "--days", default=DAYS, show_default=True, type=click.FloatRange(1),
    help="keep what was made or used in the last so many days",
)  # fmt: skip
@click.option(
    "--runs", "runs_days", type=click.FloatRange(1), metavar="DAYS",
    help="remove runs that ended so many days ago, with their events; those behind the newest results stay",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="remove what belongs to studies whose file is gone as well")
@click.option(
    "--study", "gone", multiple=True, metavar="NAME",
    help="remove what belongs to this study, whose file is gone; may be given again",
)  # fmt: skip
@click.option(
    "--rows", "rows_of", metavar="NAME",
    help="remove the warehouse's rows of this study, whose file is gone, and nothing else; asks first without --yes",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="say what would go, and keep it")
@click.option("--json", "as_json", is_flag=True, help="print JSON: every file with its size and the reason")
def prune(
    days: float,
    runs_days: float | None,
    yes: bool,
    gone: tuple[str, ...],
    rows_of: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Remove artifacts that no study's tables name, old copies for the UI, and old runs' output.

    Only files that this product wrote are removed; what else is in its folders is named. Results of a study whose file is
    gone cannot be made again: they stay without --yes or --study. Rows of the warehouse stay without --rows.
    """
    if rows_of is not None:
        prune_rows(rows_of, dry_run=dry_run, yes=yes, as_json=as_json)
        return
    from xai_assets.analysis.pruning import SECONDS_A_DAY, remove, stale
    from xai_assets.execution.history import check_history, instance_folder

    settings = Settings.from_environment()
    home = instance_folder(settings)
    check_history(home)
    found = stale(settings, home / "storage", days=days, gone=None if yes else gone)
    old_runs = _old_runs(settings, runs_days, dry_run=dry_run)
    failed = [] if dry_run else remove(found.stale, before=time.time() - days * SECONDS_A_DAY)
    total = sum(item.size for item in found.stale)
    if as_json:
        lists = {"files": found.stale, "waiting": found.waiting, "foreign": found.foreign}
        said = {
            name: [{"path": str(item.path), "bytes": item.size, "why": item.why} for item in items]
            for name, items in lists.items()
        }
        kept = [{"path": str(item.path), "why": why} for item, why in failed]
        say_json({"removed": not dry_run, "bytes": total, "runs": old_runs, **said, "failed": kept})
        sys.exit(FAILED if failed else 0)
    for why in sorted({item.why for item in found.stale}):
        sizes = [item.size for item in found.stale if item.why == why]
        say(f"{len(sizes):6} {sum(sizes) / MIB:8.1f} MiB  {why}")
    done = "would go" if dry_run else "removed"
    if runs_days is not None:
        say(f"{len(old_runs):6} runs  {done}, ended {runs_days:g} days ago or before")
    count = len(found.stale) - len(failed)
    say(f"{count:6} {total / MIB:8.1f} MiB  {done}, neither made nor used in {days:g} days")
    _say_kept(found.waiting, found.foreign)
    for item, why in failed:
        say(f"{item.path}: could not be removed: {why}", err=True)
    sys.exit(FAILED if failed else 0)


def _old_runs(settings: Settings, days: float | None, *, dry_run: bool) -> list[str]:
    from xai_assets.execution.history import instance_folder, open_instance
    from xai_assets.execution.old_runs import old_runs, remove_runs

    home = instance_folder(settings)
    if days is None or not home.is_dir():
        return []
    with open_instance(home) as instance:
        found = old_runs(instance, days, everything=home == settings.data / "dagster")
        if not dry_run:
            remove_runs(instance, found, home / "storage")
    return found


def _say_kept(waiting: "list[Item]", foreign: "list[Item]") -> None:
    if waiting:
        studies = sorted({item.study for item in waiting if item.study})
        say(
            f"{len(waiting):6} {sum(item.size for item in waiting) / MIB:8.1f} MiB  kept: of studies whose file is gone "
            f"({', '.join(studies[:NAMED])}); --yes removes it"
        )
    for why in sorted({item.why for item in foreign}):
        paths = [str(item.path) for item in foreign if item.why == why]
        more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
        say(f"{len(paths):6} kept, {why}: {', '.join(paths[:NAMED])}{more}")
