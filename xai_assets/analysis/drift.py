"""This run against the one before: masks, measures and concepts of a study, and whether more than noise changed."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.analysis.explanations import read_map
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.rerun import compare_runs, same_units
from xai_assets.evaluation.decision import Answer
from xai_assets.evaluation.drift import Case, mask_drift, measure_drift
from xai_assets.evaluation.localization import of_object
from xai_assets.files import fingerprint, sha256_bytes
from xai_assets.resources.tables import TABLES

KIND = "snapshots"
MEASURES = ("average_precision", "iou")
Row = dict[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """What is held against another run.

    Attributes:
        masks: bool (h, w) by image, class and method.
        localization: the table, with controls.
        concepts: the computed rows of `unit_concepts`.
    """

    masks: dict[Case, np.ndarray]
    localization: pd.DataFrame
    concepts: pd.DataFrame


def explanation_drift(
    bench: Workbench, maps: pd.DataFrame, localization: pd.DataFrame, concepts: pd.DataFrame
) -> pd.DataFrame:
    """The warehouse's table `explanation_drift`, against the snapshot that this asset's table of the last run names.

    Args:
        bench: of the study.
        maps: the table of all methods; empty where the study explains nothing.
        localization: the table.
        concepts: the computed rows of `unit_concepts`; empty where the study dissects nothing.
    """
    now = Snapshot(_masks(bench, maps), localization, concepts)
    key = _keep(bench, now, maps)
    baseline = _last(bench)
    if baseline is None:
        return _table([_first(key)])
    before = _read(bench, baseline)
    rows = [
        *_of_masks(before, now, bench.study.drift.min_iou),
        *_of_measures(before, now, bench.study.seed),
        *_of_concepts(before.concepts, now.concepts),
    ]
    return _table([row | {"snapshot": key, "baseline": baseline} for row in rows] or [_first(key)])


def changed(drift: pd.DataFrame) -> pd.DataFrame:
    """The rows of `explanation_drift` that say of a difference, noise or not."""
    differs = (drift["same"] < drift["compared"]) | (drift["appeared"] > 0) | (drift["gone"] > 0)
    return drift[differs.astype(bool)].drop(columns=["snapshot", "baseline"]).reset_index(drop=True)


def _first(key: str) -> Row:
    said = "There is no earlier run to compare with; this one is kept for the next."
    empty = dict.fromkeys(("value", "low", "high"))
    counts = dict.fromkeys(("compared", "same", "appeared", "gone"), 0)
    names = {"kind": "first", "subject": "", "measure": ""}
    return names | counts | empty | {"drifted": False, "said": said, "snapshot": key, "baseline": None}


def _table(rows: list[Row]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(TABLES["explanation_drift"].columns))
    numbers = dict.fromkeys(("value", "low", "high", "p", "p_holm"), "float64")
    return frame.astype(numbers | dict.fromkeys(("n", "family_size", "fewest"), "Int64"))


def _of_masks(before: Snapshot, now: Snapshot, min_iou: float) -> list[Row]:
    rows = []
    for found in mask_drift(before.masks, now.masks):
        drifted = found["value"] is not None and found["value"] < min_iou
        said = f"{found['same']} of {found['compared']} masks are the same pixel by pixel"
        if found["value"] is not None:
            said += f"; mean IoU {found['value']:.2f}, where the study asks for {min_iou:.2f}"
        if found["appeared"] or found["gone"]:
            said += f"; {found['appeared']} new, {found['gone']} gone"
        rows.append({"kind": "masks", "measure": "iou", **found, "drifted": drifted, "said": f"{said}."})
    return rows


def _of_measures(before: Snapshot, now: Snapshot, seed: int) -> list[Row]:
    if not (len(before.localization) and len(now.localization)):
        return []
    earlier, later = (
        of_object(table[~table["is_control"].astype(bool)])
        for table in (before.localization, now.localization)
    )
    return [
        {
            "kind": "measure",
            **found,
            "drifted": found["answer"] != Answer.CANNOT_TELL.value,
            "said": _said(found),
        }
        for found in measure_drift(earlier, later, MEASURES, seed=seed)
    ]


def _said(found: Row) -> str:
    if found["value"] is None:
        return "The change was not measured."
    change = f"Mean change {found['value']:+.3f}"
    if found["low"] is not None:
        change += f" [{found['low']:+.3f}, {found['high']:+.3f}]"
    change += f" over {found['n']} images"
    if found["p_holm"] is not None:
        change += f", p = {found['p_holm']:.3f} (Holm, {found['family_size']} tests)"
    if found["same"] < found["compared"] and found["n"] < found["fewest"]:
        change += f"; whether that is more than noise cannot be told with fewer than {found['fewest']} images"
    return f"{change}."


def _of_concepts(before: pd.DataFrame, now: pd.DataFrame) -> list[Row]:
    if not (len(before) and len(now)):
        return []
    rows = []
    earlier = dict(list(before.groupby(["model", "method"], sort=False)))
    for (model, method), units in now.groupby(["model", "method"], sort=False):
        row: Row = {"kind": "concepts", "subject": model, "measure": method, "appeared": 0, "gone": 0}
        row |= dict.fromkeys(("value", "low", "high"))
        then = earlier.get((model, method))
        if then is None or not same_units(then, units):
            gone = 0 if then is None else len(then)
            row |= {"compared": 0, "same": 0, "appeared": len(units), "gone": gone, "drifted": True}
            row["said"] = (
                "It was not dissected before." if then is None else "Its layers or units are others."
            )
        else:
            found = compare_runs(then, units)
            value = found.share if found.units else None
            row |= {"compared": found.units, "same": found.same, "value": value}
            row |= {"drifted": found.beyond_noise, "said": f"{found.verdict}."}
        rows.append(row)
    return rows


def _masks(bench: Workbench, maps: pd.DataFrame) -> dict[Case, np.ndarray]:
    return {
        (row["image_id"], int(row["target_index"]), row["method"]): read_map(bench, row)[1]
        for row in maps.to_dict("records")
    }


def _keep(bench: Workbench, snapshot: Snapshot, maps: pd.DataFrame) -> str:
    """Keep a snapshot by its content: masks packed by bit, tables as Parquet. Maps may be pruned; it stays."""
    cases = [list(case) for case in snapshot.masks]
    key = fingerprint(
        {
            "cases": cases,
            "maps": list(maps["artifact"]) if len(maps) else [],
            "tables": [
                sha256_bytes(table.to_csv(index=False).encode())
                for table in (snapshot.localization, snapshot.concepts)
            ],
        }
    )
    if not bench.store.has(KIND, key):
        sizes = np.array([mask.shape for mask in snapshot.masks.values()], np.int32).reshape(-1, 2)
        flat = [mask.ravel() for mask in snapshot.masks.values()]
        arrays: dict[str, np.ndarray] = {
            "masks": np.packbits(np.concatenate(flat) if flat else np.zeros(0, bool)),
            "sizes": sizes,
            "localization": _packed(snapshot.localization),
            "concepts": _packed(snapshot.concepts),
        }
        bench.store.put(KIND, key, arrays, {"cases": cases})
    return key


def _last(bench: Workbench) -> str | None:
    """The snapshot of the last run, where there is one and it was not thrown away."""
    if not bench.has_table("explanation_drift"):
        return None
    key = str(bench.table("explanation_drift")["snapshot"].iloc[0])
    return key if bench.store.has(KIND, key) else None


def _read(bench: Workbench, key: str) -> Snapshot:
    arrays, meta = bench.store.get(KIND, key)
    pixels = arrays["sizes"].prod(axis=1, dtype=np.int64)
    bits = np.unpackbits(arrays["masks"], count=int(pixels.sum())).astype(bool)
    parts = np.split(bits, np.cumsum(pixels)[:-1])
    masks = {
        (str(case[0]), int(case[1]), str(case[2])): part.reshape(tuple(size))
        for case, part, size in zip(meta["cases"], parts, arrays["sizes"].tolist(), strict=False)
    }
    return Snapshot(masks, *(_unpacked(arrays[name]) for name in ("localization", "concepts")))


def _packed(table: pd.DataFrame) -> np.ndarray:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return np.frombuffer(buffer.getvalue(), np.uint8)


def _unpacked(data: np.ndarray) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(data.tobytes()))
