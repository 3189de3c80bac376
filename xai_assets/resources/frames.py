"""How a table goes from one asset to the next: as Parquet, one file an asset and study, renamed into place.

Where hosts share an address, a table is sent there and read from there: another host may have made it anew.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from xai_assets.errors import XaiError
from xai_assets.files import make_way, write_bytes
from xai_assets.resources import table_file
from xai_assets.resources.artifact_file import Unsound
from xai_assets.resources.shared import Shared
from xai_assets.resources.store import ArtifactError, Damage, unheard
from xai_assets.resources.table import Table

MEASURED = ("seconds", "seconds_library", "device", "peak_memory_mib")
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
    content = table_file.encode(table, f"{asset}/{study}")
    make_way(path)
    write_bytes(path, content)
    if shared is not None:
        shared.send(path, path.relative_to(artifacts).as_posix())
    return path


def has_table(
    artifacts: Path,
    asset: str,
    study: str,
    shared: Shared | None = None,
    on_damage: Callable[[Damage], None] = unheard,
) -> bool:
    """Whether the asset has left a table for the study, as it was written; a damaged one counts as absent."""
    path = _here(artifacts, asset, study, shared)
    try:
        table_file.read(path, f"{asset}/{study}")
    except FileNotFoundError:
        return False
    except Unsound as error:
        on_damage(Damage(path, str(error), error.older))
        return False
    return True


def read_table(artifacts: Path, asset: str, study: str, shared: Shared | None = None) -> Table:
    """The table that an asset left for a study.

    Raises:
        XaiError: the asset has not been materialised for it, or its table is damaged.
    """
    path = _here(artifacts, asset, study, shared)
    try:
        return table_file.decode(table_file.read(path, f"{asset}/{study}"))
    except FileNotFoundError:
        raise XaiError(
            f"asset {asset}, study {study}",
            "has not been materialised",
            f"Materialise {asset} first; its table is looked for at {path}.",
        ) from None
    except Unsound as error:
        raise ArtifactError(
            f"the table of asset {asset}, study {study}",
            f"is not usable: {error}",
            f"Materialise {asset} again; it replaces {path}.",
        ) from error


def _here(artifacts: Path, asset: str, study: str, shared: Shared | None) -> Path:
    """The table's file, in its newest state: another host may have made it anew."""
    path = table_path(artifacts, asset, study)
    if shared is not None and not shared.fetch(path.relative_to(artifacts).as_posix(), path):
        path.unlink(missing_ok=True)  # what is not shared is not there
    return path
