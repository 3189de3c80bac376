"""The numbers that a run ends with, read from the warehouse."""

from dataclasses import dataclass

import pandas as pd

from xai_assets.analysis.workbench import Workbench
from xai_assets.evaluation.localization import OBJECT

MEASURES = {"average_precision": "pixel AP", "iou": "IoU"}
"""The metrics of the last lines, by the head of their column: pixel average precision, and IoU at the threshold."""

NONE = "–"


@dataclass(frozen=True)
class Numbers:
    """A small table as text.

    Attributes:
        title: what it shows.
        columns: their heads.
        rows: of as many cells.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def headline(bench: Workbench) -> list[Numbers]:
    """What each layer's units detect, and how near each method's maps are to the ground truth, as far as measured."""
    tables = bench.warehouse.read(bench.study.name)
    found = [_layers(tables["layer_summary"]), _methods(tables["metric_summary"])]
    return [table for table in found if table.rows]


def _layers(summary: pd.DataFrame) -> Numbers:
    columns = ("model", "layer", "units", "dead", "detectors", "labels", "word present", "by chance")
    rows = tuple(
        (
            str(row["model"]), str(row["layer"]), str(row["units"]), str(row["dead"]), _count(row["detectors"]),
            _count(row["unique_detectors"]), _share(row["truth_presence"]), _share(row["chance_presence"]),
        )
        for row in summary.to_dict("records")
    )  # fmt: skip
    return Numbers("Units, by layer", columns, rows)


def _methods(summary: pd.DataFrame) -> Numbers:
    """As the reports have them: means over images, whose interval is over images as well."""
    rows = []
    if "truth" in summary:
        summary = summary[summary["truth"].isna() | (summary["truth"] == OBJECT)]
    for method in dict.fromkeys(summary["method"]):
        found = summary[(summary["method"] == method) & summary["metric"].isin(MEASURES)].set_index("metric")
        if found.empty:
            continue
        control = " (control)" if found["is_control"].iloc[0] else ""
        cells = [_interval(found.loc[key]) if key in found.index else NONE for key in MEASURES]
        rows.append((f"{method}{control}", *cells, str(found["n"].iloc[0])))
    title = "Maps against the ground truth (mean over images, 95 % interval)"
    return Numbers(title, ("method", *MEASURES.values(), "images"), tuple(rows))


def _count(value: float) -> str:
    return NONE if pd.isna(value) else str(int(value))


def _share(value: float) -> str:
    return NONE if pd.isna(value) else f"{value:.0%}"


def _interval(row: pd.Series) -> str:
    if pd.isna(row["mean"]):
        return NONE
    if pd.isna(row["low"]) or pd.isna(row["high"]):
        return f"{row['mean']:.3f}"
    return f"{row['mean']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
