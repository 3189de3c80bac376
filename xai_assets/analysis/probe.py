"""The probe set of a study and its labels: rendered in Broden's layout, a Broden folder, or a folder of images."""

import os
from collections.abc import Callable

import numpy as np
import pandas as pd

from xai_assets.analysis.images import unfit
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection import label_segments, near_duplicates
from xai_assets.dissection.class_pattern import is_pattern
from xai_assets.dissection.exchangeable import nontrivial
from xai_assets.dissection.image_classes import by_pattern, by_table
from xai_assets.dissection.label_segments import LabelSegments
from xai_assets.dissection.probe import FolderProbe, ProbeSet
from xai_assets.errors import XaiError
from xai_assets.files import fingerprint, sha256_file
from xai_assets.interop.broden import BrodenProbe
from xai_assets.set_aside import lines
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.zoo import resolve
from xai_assets.world.broden import write_probe

PROBE_SPLIT = "probe"
MOST_WORKERS = 8
GROUPS = "probe_groups"
"""The kind of artifact: which images of a probe set are of one photograph."""

LABELS = "labels"
"""The kind of artifact: a probe set's labels."""


def open_probe(bench: Workbench, sha256: str | None = None) -> ProbeSet:
    """The study's probe set; scenes of the embedded world are rendered first where they are not there yet.

    Args:
        bench: of the study.
        sha256: as the step `probe_set` found it, so that no step works with other images than the step before.

    Raises:
        XaiError: when the folder is absent, not in Broden's layout, or its content is not that of `sha256`.
    """
    probe = _open(bench)
    if sha256 is not None and probe.sha256 != sha256:
        raise XaiError(
            f"the probe set of study {bench.study.name}",
            "its files have changed since the step `probe_set` of this run",
            "Run the study again.",
        )
    return probe


def _open(bench: Workbench) -> ProbeSet:
    source = bench.dissection.probe
    if source.broden:
        return BrodenProbe(bench.file.resolve(source.broden), limit=source.limit)
    if source.folder:
        return folder_probe(bench, source.limit)
    assert source.diorama is not None
    folder = bench.settings.artifacts / "probes" / f"diorama-{PROBE_SPLIT}-{source.diorama.count}"
    workers = min(os.cpu_count() or 1, MOST_WORKERS)
    write_probe(
        folder, split=PROBE_SPLIT, count=source.diorama.count, workers=workers, progress=bench.progress
    )
    return BrodenProbe(folder, limit=source.limit)


def folder_probe(bench: Workbench, limit: int | None) -> FolderProbe:
    """The first so many images of the study's folder that its models take, with their classes where they are known.

    Raises:
        XaiError: as `open_probe`; or not one class is known where the study says how to know them.
    """
    source = bench.dissection.probe
    assert source.folder is not None
    probe = FolderProbe(bench.file.resolve(source.folder), limit=limit, unfit=unfit_for_models(bench))
    if source.classes is not None:
        given, ids = source.classes, probe.ids
        table = bench.file.resolve(given)
        probe.classes = by_pattern(given, ids) if is_pattern(given) else by_table(table, ids)
    return probe


def classes_key(bench: Workbench) -> dict[str, list[str]]:
    """What the classes of a folder's images follow from, for the key of what is made with them."""
    given = bench.dissection.probe.classes
    if given is None:
        return {}
    return {"classes": [given] if is_pattern(given) else [sha256_file(bench.file.resolve(given))]}


def unfit_for_models(bench: Workbench) -> Callable[[int, int], str | None]:
    """Why a dissected model's preprocessing does not take an image of a height and width; no weights are read."""
    base = bench.file.path.parent
    entries = [resolve(entry.model, bench.settings, base=base) for entry in bench.dissection.models]
    preprocessings = [Preprocessing(entry.preprocessing) for entry in entries]

    def why(height: int, width: int) -> str | None:
        return next((found for one in preprocessings if (found := unfit(one, height, width))), None)

    return why


def probe_labels(bench: Workbench, probe: ProbeSet, sha256: str) -> LabelSegments:
    """The labels of a probe set that has some, decoded once for all steps, models and studies.

    Args:
        bench: of the study.
        probe: `open_probe` of it.
        sha256: the probe's, as the step `probe_set` found it.
    """
    assert probe.concepts is not None
    key = fingerprint({"code": label_segments.CODE_VERSION, "probe": sha256})
    if not bench.store.has(LABELS, key):
        labels = label_segments.read_labels(probe, progress=bench.progress)
        bench.store.put(LABELS, key, labels.to_arrays(), {})
    return LabelSegments.from_arrays(bench.store.mapped(LABELS, key)[0], probe.concepts)


def probe_groups(bench: Workbench, sha256: str) -> np.ndarray | None:
    """The group of each probe image, int (n,), found once for all steps; None where each is one of its own.

    Images of one photograph are a group (`dissection.near_duplicates`). Scenes of the embedded world are not asked: each
    is rendered from an own random description.

    Args:
        bench: of the study.
        sha256: the probe's, as the step `probe_set` found it.
    """
    if bench.dissection.probe.diorama is not None:
        return None
    key = fingerprint({"code": near_duplicates.CODE_VERSION, "probe": sha256})
    if not bench.store.has(GROUPS, key):
        found = near_duplicates.near_groups(open_probe(bench, sha256), progress=bench.progress)
        bench.store.put(GROUPS, key, {"groups": found}, {})
    return nontrivial(bench.store.get(GROUPS, key)[0]["groups"])


def probe_set(bench: Workbench) -> pd.DataFrame:
    """One row: what the probe set is, by content."""
    probe = open_probe(bench)
    bench.tally.computed = len(probe)
    for bad in getattr(probe, "quarantined", []):
        bench.tally.leave_out("probe images", bad.path, f"{bad.why}. {bad.remedy}")
    for one in getattr(probe, "left_out", []):
        bench.tally.leave_out("files beside the probe images", one.name, one.why)
    for line in lines(getattr(probe, "notes", []), "probe images"):
        bench.tally.note(line)
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
