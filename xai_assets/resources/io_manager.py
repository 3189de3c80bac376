"""Dagster's side of the tables between assets."""

from pathlib import Path

import dagster as dg

from xai_assets.resources.frames import read_table, write_table
from xai_assets.resources.table import Table


class FrameIOManager(dg.ConfigurableIOManager):
    """Keeps each asset's table as Parquet below the artifacts.

    Attributes:
        artifacts: the artifacts' folder.
    """

    artifacts: str

    def handle_output(self, context: dg.OutputContext, obj: Table) -> None:
        """Write the asset's table for the partition's study."""
        write_table(Path(self.artifacts), context.asset_key.to_user_string(), context.partition_key, obj)

    def load_input(self, context: dg.InputContext) -> Table:
        """Read the table of the asset above."""
        return read_table(Path(self.artifacts), context.asset_key.to_user_string(), context.partition_key)
