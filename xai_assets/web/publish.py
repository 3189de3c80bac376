"""Files that the UI serves: reports as downloads and pictures, from the same address as the UI itself.

The web server hands out what stands below the compute log manager's folder at `/logs/...`, as attachments. A file that
is written there can be linked from an asset's metadata. Only PDF, PNG, JSON and CSV: HTML or SVG from that address
could run a script with the user's rights in the UI.

There is one file a key, which the next run replaces. `xai prune` takes away those that no study makes any more.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import dagster as dg
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from xai_assets.files import sha256_bytes, write_bytes
from xai_assets.resources import written

SERVED = {"pdf", "png", "json", "csv"}

PREFIX = "DAGSTER_WEBSERVER_PATH_PREFIX"
"""The variable by which Dagster's web server is told that it stands below a path; runs have to have it as well."""


@dataclass(frozen=True)
class Served:
    """A file and where people get it.

    Attributes:
        address: from the root of the UI's host, such as `/logs/reports/demo/cam/pdf`; None where the UI serves no files.
        kept: the file's own address, which is there in any case.
        why: why the UI serves none; empty where it does.
    """

    address: str | None
    kept: str
    why: str = ""


def publish(
    instance: dg.DagsterInstance, key: tuple[str, ...], kind: str, data: bytes, *, kept: Path | str
) -> Served:
    """Write `data` where the web server serves it.

    Args:
        instance: the instance whose compute logs the UI serves.
        key: the address's parts, such as ("reports", "demo", "cam"); the file of before is replaced.
        kind: pdf, png, json or csv.
        data: the file.
        kept: the artifact's own address.

    Returns:
        Its address in the UI; its own where compute logs are kept elsewhere, since there the web server, which may run
        on another machine, has no folder of its own to serve.
    """
    if kind not in SERVED:
        raise ValueError(f"files of kind {kind} are not served; use one of {sorted(SERVED)}")
    manager = instance.compute_log_manager
    if not isinstance(manager, LocalComputeLogManager):
        why = f"the UI serves no files, since its compute logs are kept by {type(manager).__name__}"
        return Served(None, str(kept), why)
    path = write_bytes(Path(manager.get_captured_local_path(list(key), kind)), data)
    written.record(path.parents[len(key) - 1], {path: sha256_bytes(data)})
    return Served(quote(path_prefix() + "/logs/" + "/".join(key) + f"/{kind}"), str(kept))


def path_prefix(environment: Mapping[str, str] | None = None) -> str:
    """The path below which the UI stands: empty, or with a slash before it and none after it."""
    given = (os.environ if environment is None else environment).get(PREFIX, "").strip("/")
    return f"/{given}" if given else ""
