"""Files that the UI serves: reports as downloads, from the same address as the UI itself.

The web server hands out what stands below the compute log manager's folder at `/logs/...`, as attachments. A file that
is written there can be linked from an asset's metadata. Only PDF, PNG, JSON and CSV: HTML or SVG from that address
could run a script with the user's rights in the UI.
"""

from pathlib import Path

import dagster as dg
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from xai_assets.files import write_bytes

SERVED = {"pdf", "png", "json", "csv"}


def publish(instance: dg.DagsterInstance, key: tuple[str, ...], kind: str, data: bytes) -> str | None:
    """Write `data` where the web server serves it, and give its address relative to the UI's root.

    Args:
        instance: the instance whose compute logs the UI serves.
        key: the address's parts, such as ("reports", "demo", "cam"); the file of before is replaced.
        kind: pdf, png, json or csv.
        data: the file.

    Returns:
        Such as `/logs/reports/demo/cam/pdf`; None where compute logs are not kept on this machine, since there the
        web server has no folder of its own to serve.
    """
    if kind not in SERVED:
        raise ValueError(f"files of kind {kind} are not served; use one of {sorted(SERVED)}")
    manager = instance.compute_log_manager
    if not isinstance(manager, LocalComputeLogManager):
        return None
    write_bytes(Path(manager.get_captured_local_path(list(key), kind)), data)
    return "/logs/" + "/".join(key) + f"/{kind}"
