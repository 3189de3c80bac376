"""The file of one table: Parquet that holds its name and a SHA-256 of the whole file, as an artifact's file does.

The hash is an entry of the metadata in the file's footer, taken with its own 64 digits as zeros.
"""

import io
import re
from pathlib import Path

from xai_assets.files import sha256_bytes
from xai_assets.resources.artifact_file import ZEROS, Unsound, opened
from xai_assets.resources.table import Table

ENTRY = b"xai_assets.table"
_SAID = re.compile(rb"xai_assets table (\S{1,400}) sha256 ([0-9a-f]{64})")
PARQUET = b"PAR1"


def encode(table: Table, name: str) -> bytes:
    """The table as Parquet; `name` is `asset/study`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = pa.Table.from_pandas(table, preserve_index=False)
    said = b"xai_assets table " + name.encode("ascii") + b" sha256 "
    content = content.replace_schema_metadata({**(content.schema.metadata or {}), ENTRY: said + ZEROS})
    file = io.BytesIO()
    pq.write_table(content, file)
    data = file.getvalue()
    place = data.rindex(said + ZEROS) + len(said)
    return data[:place] + sha256_bytes(data).encode("ascii") + data[place + len(ZEROS) :]


def read(path: Path, name: str) -> bytes:
    """The bytes of a table's file, checked.

    Raises:
        FileNotFoundError: nothing is there.
        Unsound: the content is not what was written, or is another table's.
    """
    data = _bytes(path)
    found = _marked(data)
    _same(data, found)
    if found.group(1) != name.encode("ascii"):
        raise Unsound(f"it is another table, {found.group(1).decode('utf-8', 'replace')}")
    return data


def _bytes(path: Path) -> bytes:
    try:
        with opened(path) as file:
            return file.read()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unsound(f"it cannot be read ({error.strerror})") from error


def _marked(data: bytes) -> re.Match[bytes]:
    """The entry of the footer, which is the last: a cell may hold such a text as well."""
    last = None
    for last in _SAID.finditer(data):  # noqa: B007
        pass
    if last is None:
        whole = data.startswith(PARQUET) and data.endswith(PARQUET)
        raise Unsound(
            "it was made by an older version, which kept no hash" if whole else "it is cut off or no Parquet",
            older=whole,
        )
    return last


def _same(data: bytes, found: re.Match[bytes]) -> None:
    zeroed = data[: found.start(2)] + ZEROS + data[found.end(2) :]
    if sha256_bytes(zeroed).encode("ascii") != found.group(2):
        raise Unsound("its content has changed since it was written (SHA-256)")


def name_of(path: Path) -> str | None:
    """The name of the table that is in the file as it was written; None for anything else."""
    try:
        data = _bytes(path)
        found = _marked(data)
        _same(data, found)
    except (FileNotFoundError, Unsound):
        return None
    return found.group(1).decode("utf-8", "replace")


def decode(data: bytes) -> Table:
    """The table in the bytes of a file that was checked."""
    import pandas as pd

    return pd.read_parquet(io.BytesIO(data))
