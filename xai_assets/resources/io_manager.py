"""Dagster's side of the tables between assets."""

from pathlib import Path

import dagster as dg

from xai_assets.resources.frames import read_table, write_table
from xai_assets.resources.shared import Shared
from xai_assets.resources.table import Table


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
        """Write the asset's table for the partition's study."""
        asset = context.asset_key.to_user_string()
        write_table(Path(self.artifacts), asset, context.partition_key, obj, self._shared)

    def load_input(self, context: dg.InputContext) -> Table:
        """Read the table of the asset above."""
        asset = context.asset_key.to_user_string()
        return read_table(Path(self.artifacts), asset, context.partition_key, self._shared)
