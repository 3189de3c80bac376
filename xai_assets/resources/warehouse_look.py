"""Whether a run could load the warehouse: looked at without writing or waiting, for `xai check`."""

import fcntl
import os
from pathlib import Path

from xai_assets.errors import XaiError
from xai_assets.resources.tables import TABLES
from xai_assets.resources.warehouse_catalog import Catalog, quoted
from xai_assets.resources.warehouse_file import connect, opened
from xai_assets.resources.warehouse_holders import Held, in_words
from xai_assets.resources.warehouse_upgrade import newer

LOOK_SECONDS = 2.0
"""A run that is just loading has it for less."""

MOST_READ = 2**30
"""Bytes of a file that is read through; of a larger one the catalog alone is looked at."""


def look_at_warehouse(path: Path) -> tuple[bool, str]:
    """Whether a run could write to it, and what there is to say.

    A file that is there is read through, so that a damaged block is found now and not at the run's last steps.
    """
    place = path if os.path.lexists(path) else _folder(path)
    if not os.path.lexists(path):
        if not os.access(place, os.W_OK | os.X_OK):
            return (
                False,
                f"{path}: its folder may not be written by this user. Set XAI_WAREHOUSE to another place.",
            )
        return True, f"a run makes it at {path}"
    try:
        with opened(path, write=False, wait=LOOK_SECONDS) as connection:
            catalog = Catalog(connection)
            refused = newer(catalog, path)
            if refused:
                return False, f"{path}: {refused.why}. {refused.remedy}"
            stored = catalog.all_columns()
            tables = sorted(catalog.tables() & TABLES.keys())
            if path.stat().st_size <= MOST_READ:
                for name in tables:
                    rows = ", ".join(quoted(column.name) for column in stored[name].values())
                    connection.execute(f"SELECT bit_xor(hash({rows})) FROM {catalog.full(name)}").fetchall()
    except XaiError as error:
        return False, f"{path}: {error.why}. {error.remedy}"
    if not os.access(path, os.W_OK) or not os.access(path.resolve().parent, os.W_OK | os.X_OK):
        return False, (
            f"{path}: it may not be written by this user. Ask its owner for the permission to write the file and its "
            "folder, or set XAI_WAREHOUSE to a file of your own."
        )
    said = _reader(path)
    return (False, said) if said else (True, f"{path}, {len(tables)} tables")


def _folder(path: Path) -> Path:
    """The nearest folder that is there, in which the file would be made."""
    return next(parent for parent in path.parents if parent.exists())


def _reader(path: Path) -> str | None:
    """What to say of a program that only reads it, for which a run would wait; None for nobody."""
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
        except OSError:
            pass  # DuckDB's own lock: by a shared one of a reader
    found = connect(path, True)
    if isinstance(found, Held):
        return f"{path}: {in_words(found)} has it open, and a run would wait for it. Close it there."
    found.close()  # gone by now
    return None
