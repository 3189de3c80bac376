"""The probe set of a study: rendered in Broden's layout, a Broden folder, or a folder of images."""

import os

import pandas as pd

from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.probe import FolderProbe, ProbeSet
from xai_assets.interop.broden import BrodenProbe
from xai_assets.world.broden import write_probe

PROBE_SPLIT = "probe"
MOST_WORKERS = 8


def open_probe(bench: Workbench) -> ProbeSet:
    """The study's probe set; scenes of the embedded world are rendered first where they are not there yet.

    Raises:
        XaiError: when the folder is absent or not in Broden's layout.
    """
    source = bench.dissection.probe
    if source.broden:
        return BrodenProbe(bench.file.resolve(source.broden), limit=source.limit)
    if source.folder:
        return FolderProbe(bench.file.resolve(source.folder), limit=source.limit)
    assert source.diorama is not None
    folder = bench.settings.artifacts / "probes" / f"diorama-{PROBE_SPLIT}-{source.diorama.count}"
    workers = min(os.cpu_count() or 1, MOST_WORKERS)
    write_probe(
        folder, split=PROBE_SPLIT, count=source.diorama.count, workers=workers, progress=bench.progress
    )
    return BrodenProbe(folder, limit=source.limit)


def probe_set(bench: Workbench) -> pd.DataFrame:
    """One row: what the probe set is, by content."""
    probe = open_probe(bench)
    bench.tally.computed = len(probe)
    bench.tally.problems += [
        f"{bad.path}: {bad.why}. {bad.remedy}" for bad in getattr(probe, "quarantined", [])
    ]
    concepts = 0 if probe.concepts is None else len(probe.concepts)
    return pd.DataFrame(
        [
            {
                "images": len(probe),
                "labelled": probe.concepts is not None,
                "labels": concepts,
                "sha256": probe.sha256,
            }
        ]
    )
