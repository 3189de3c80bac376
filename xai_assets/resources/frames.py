"""How a table goes from one asset to the next: as Parquet, one file an asset and study, renamed into place.

Where hosts share an address, a table is sent there and read from there: another host may have made it anew.
"""

import hashlib
from pathlib import Path

from xai_assets.errors import XaiError
from xai_assets.files import write_with
from xai_assets.resources.shared import Shared
from xai_assets.resources.table import Table

MEASURED = ("seconds", "device", "peak_memory_mib")
"""Columns that say how a result was made: another run of the same work has others there."""


def content_version(*tables: Table) -> str:
    """A name for what the tables say, 32 hexadecimal digits; what was measured on the way does not count."""
    digest = hashlib.sha256()
    for table in tables:
        kept = table[[column for column in table.columns if column not in MEASURED]]
        digest.update(kept.to_csv(index=False, na_rep="\\N").encode("utf-8"))
        digest.update(b"\0")
    return digest.hexdigest()[:32]


def table_path(artifacts: Path, asset: str, study: str) -> Path:
    """The file of an asset's table of one study; names are the project's own and the studies' checked ones."""
    return artifacts / "tables" / asset / f"{study}.parquet"


def write_table(artifacts: Path, asset: str, study: str, table: Table, shared: Shared | None = None) -> Path:
    """Write a table, whole or not at all."""
    path = table_path(artifacts, asset, study)
    write_with(path, lambda file: table.to_parquet(file, index=False))
    if shared is not None:
        shared.send(path, path.relative_to(artifacts).as_posix())
    return path


def has_table(artifacts: Path, asset: str, study: str, shared: Shared | None = None) -> bool:
    """Whether the asset has left a table for the study."""
    path = table_path(artifacts, asset, study)
    return path.is_file() if shared is None else shared.has(path.relative_to(artifacts).as_posix())


def read_table(artifacts: Path, asset: str, study: str, shared: Shared | None = None) -> Table:
    """The table that an asset left for a study.

    Raises:
        XaiError: when the asset has not been materialised for it.
    """
    import pandas as pd

    path = table_path(artifacts, asset, study)
    there = path.is_file() if shared is None else shared.fetch(path.relative_to(artifacts).as_posix(), path)
    if not there:
        raise XaiError(
            f"asset {asset}, study {study}",
            "has not been materialised",
            f"Materialise {asset} first; its table is looked for at {path}.",
        )
    return pd.read_parquet(path)
