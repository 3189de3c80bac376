"""How a table goes from one asset to the next: as Parquet, one file an asset and study, renamed into place."""

from pathlib import Path

from xai_assets.errors import XaiError
from xai_assets.files import write_with
from xai_assets.resources.table import Table


def table_path(artifacts: Path, asset: str, study: str) -> Path:
    """The file of an asset's table of one study; names are the project's own and the studies' checked ones."""
    return artifacts / "tables" / asset / f"{study}.parquet"


def write_table(artifacts: Path, asset: str, study: str, table: Table) -> Path:
    """Write a table, whole or not at all."""
    return write_with(table_path(artifacts, asset, study), lambda file: table.to_parquet(file, index=False))


def read_table(artifacts: Path, asset: str, study: str) -> Table:
    """The table that an asset left for a study.

    Raises:
        XaiError: when the asset has not been materialised for it.
    """
    import pandas as pd

    path = table_path(artifacts, asset, study)
    if not path.is_file():
        raise XaiError(
            f"asset {asset}, study {study}",
            "has not been materialised",
            f"Materialise {asset} first; its table is looked for at {path}.",
        )
    return pd.read_parquet(path)
