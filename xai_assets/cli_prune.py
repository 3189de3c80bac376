"""`xai prune`: throw away what no study needs any more."""

import click

from xai_assets.cli_say import say, say_json
from xai_assets.settings import Settings

DAYS = 30
MIB = 2**20


@click.command()
@click.option(
    "--days", default=DAYS, show_default=True, type=click.FloatRange(1),
    help="keep what was made or used in the last so many days",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="say what would go, and keep it")
@click.option("--json", "as_json", is_flag=True, help="print JSON: every file with its size and the reason")
def prune(days: float, dry_run: bool, as_json: bool) -> None:
    """Remove artifacts that no study's tables name, what belongs to studies that are gone, and old runs' output.

    Runs and their events stay, and so do the warehouse's rows. What is needed again later is computed again.
    """
    from xai_assets.analysis.pruning import remove, stale
    from xai_assets.execution.history import instance_folder

    settings = Settings.from_environment()
    found = stale(settings, instance_folder(settings) / "storage", days=days)
    if not dry_run:
        remove(found)
    total = sum(item.size for item in found)
    if as_json:
        files = [{"path": str(item.path), "bytes": item.size, "why": item.why} for item in found]
        say_json({"removed": not dry_run, "bytes": total, "files": files})
        return
    for why in sorted({item.why for item in found}):
        sizes = [item.size for item in found if item.why == why]
        say(f"{len(sizes):6} {sum(sizes) / MIB:8.1f} MiB  {why}")
    done = "would go" if dry_run else "removed"
    say(f"{len(found):6} {total / MIB:8.1f} MiB  {done}, neither made nor used in {days:g} days")
