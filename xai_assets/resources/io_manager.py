"""Dagster's side of the tables between assets."""

from pathlib import Path

import dagster as dg

from xai_assets.execution.made_from import refuse_other_study, with_origin
from xai_assets.execution.run_inputs import pinned_study
from xai_assets.resources.frames import read_table, write_table
from xai_assets.resources.shared import Shared
from xai_assets.resources.table import Table
from xai_assets.settings import Settings
from xai_assets.study import Study
from xai_assets.study_file import StudyError


class FrameIOManager(dg.ConfigurableIOManager):
    """Keeps each asset's table as Parquet below the artifacts.

    Attributes:
        artifacts: the artifacts' folder.
        shared: the address that hosts share; None where this host is the only one.
    """

    artifacts: str
    shared: str | None = None

    @property
    def _shared(self) -> Shared | None:
        return Shared(self.shared) if self.shared else None

    def handle_output(self, context: dg.OutputContext, obj: Table) -> None:
        """Write the asset's table for the partition's study, with the fields of the study that it was made from."""
        asset = context.asset_key.to_user_string()
        if study := _study(context):
            obj = with_origin(obj, asset, study)
        write_table(Path(self.artifacts), asset, context.partition_key, obj, self._shared)

    def load_input(self, context: dg.InputContext) -> Table:
        """Read the table of the asset above.

        Raises:
            XaiError: there is none, it is damaged, or it was made before the study was changed.
        """
        asset = context.asset_key.to_user_string()
        table = read_table(Path(self.artifacts), asset, context.partition_key, self._shared)
        if study := _study(context):
            refuse_other_study(table, asset, study)
        return table


def _study(context: dg.InputContext | dg.OutputContext) -> Study | None:
    """The study as the run keeps it; None outside of a run, as in a notebook, and where it cannot be read."""
    try:
        step = context.step_context
    except dg.DagsterInvariantViolationError:
        return None
    try:
        return pinned_study(
            step.instance, step.run_id, context.partition_key, Settings.from_environment()
        ).study
    except StudyError:
        return None  # the step itself says what is wrong with it
