"""How a table goes from one asset to the next: as Parquet, one file an asset and study, renamed into place."""

from pathlib import Path

import dagster as dg

from xai_assets.errors import XaiError
from xai_assets.files import write_with
from xai_assets.resources.table import Table


class FrameIOManager(dg.ConfigurableIOManager):  # type: ignore[misc]
    """Keeps each asset's table at `<folder>/<asset>/<study>.parquet`.

    Attributes:
        folder: where the tables stand.
    """

    folder: str

    def path(self, context: dg.InputContext | dg.OutputContext) -> Path:
        """The file of an asset's partition; keys are the project's own names and the studies' checked ones."""
        return Path(self.folder).joinpath(*context.asset_key.path, f"{context.partition_key}.parquet")

    def handle_output(self, context: dg.OutputContext, obj: Table) -> None:
        """Write the table, whole or not at all."""
        write_with(self.path(context), lambda file: obj.to_parquet(file, index=False))

    def load_input(self, context: dg.InputContext) -> Table:
        """Read the table of the asset above."""
        import pandas as pd

        path = self.path(context)
        if not path.is_file():
            name = context.asset_key.to_user_string()
            raise XaiError(
                f"asset {name}, study {context.partition_key}",
                "has not been materialised",
                f"Materialise {name} first; its table is looked for at {path}.",
            )
        return pd.read_parquet(path)
