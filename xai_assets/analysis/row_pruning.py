"""Rows of the warehouse that belong to a study that is gone or renamed, which only somebody who names it removes."""

from xai_assets.analysis.pruning import refuse_without_studies
from xai_assets.errors import XaiError
from xai_assets.resources.warehouse import Warehouse
from xai_assets.settings import Settings
from xai_assets.study_file import study_paths
from xai_assets.suggest import did_you_mean


def rows_of_gone_study(settings: Settings, warehouse: Warehouse, study: str) -> dict[str, int]:
    """How many rows the warehouse has of it, by table; imported ones, which no run makes again, are among them.

    Raises:
        XaiError: the study has a file, the warehouse has no rows of it, or the folder of studies is away.
    """
    with_file = set(study_paths(settings))
    if study in with_file:
        raise XaiError(
            f"study {study}",
            "its file is there, and its next run replaces its rows",
            "Remove or rename its file first, if its rows are to go.",
        )
    rows = warehouse.rows()
    if study not in rows:
        gone = sorted(rows.keys() - with_file)
        known = f" Those without a file that have rows: {', '.join(gone)}." if gone else ""
        raise XaiError(
            f"study {study}",
            f"the warehouse {warehouse.path} has no rows of it",
            f"Name a study that has.{did_you_mean(study, gone)}{known}",
        )
    refuse_without_studies(settings, {study})
    return rows[study]
