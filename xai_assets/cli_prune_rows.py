"""`xai prune --rows STUDY`: the rows of a study that is gone, out of the warehouse."""

import click

from xai_assets.cli_say import say, say_json
from xai_assets.settings import Settings


def prune_rows(study: str, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Say how many rows of which tables would go, ask, and remove them in one transaction; files are left alone.

    Raises:
        XaiError: as `rows_of_gone_study`, and where the warehouse cannot be written.
    """
    from xai_assets.analysis.row_pruning import rows_of_gone_study
    from xai_assets.resources.warehouse import Warehouse

    settings = Settings.from_environment()
    warehouse = Warehouse(settings.warehouse, settings.warehouse_wait, lambda line: say(line, err=True))
    counts = rows_of_gone_study(settings, warehouse, study)
    total = sum(counts.values())
    if not as_json:
        for table, count in counts.items():
            say(f"{count:8} rows  {table}")
    if not dry_run and not yes:
        question = f"Remove {total} rows of {study} from {warehouse.path}? Imported rows are not made again."
        click.confirm(question, abort=True, err=True)
    removed = {} if dry_run else warehouse.remove(study)
    if as_json:
        say_json({"removed": not dry_run, "study": study, "rows": counts if dry_run else removed})
    else:
        say(
            f"{total if dry_run else sum(removed.values()):8} rows  {'would go' if dry_run else 'removed'}, of {study}"
        )
