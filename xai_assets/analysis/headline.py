"""The numbers that a run ends with, read from the warehouse."""

from dataclasses import dataclass, replace

import pandas as pd

from xai_assets.analysis.workbench import Workbench
from xai_assets.evaluation.headline import LOCALIZATION
from xai_assets.evaluation.metrics import METRICS
from xai_assets.reporting.doubts import doubts_of_answers, doubts_of_units

HEADS = {"average_precision": "pixel AP"}
"""Short heads of columns; others are the metrics' titles."""

NONE = "–"


@dataclass(frozen=True)
class Numbers:
    """A small table as text.

    Attributes:
        title: what it shows.
        columns: their heads.
        rows: of as many cells.
        notes: sentences that bid care.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def headline(bench: Workbench) -> list[Numbers]:
    """How often the model is right, what each layer's units detect, and how near each method's maps are to the truth.

    Each as far as it was measured.
    """
    tables = bench.warehouse.read(bench.study.name)
    summary = tables["layer_summary"]
    units = doubts_of_units(tables["probe_health"], list(dict.fromkeys(summary["model"])))
    answers = doubts_of_answers(tables["prediction_summary"])
    found = [
        _answers(tables["model_performance"], tables["confusions"]),
        replace(_layers(summary), notes=tuple(units)),
        replace(_methods(tables["headline"]), notes=tuple(answers)),
    ]
    return [table for table in found if table.rows]


def _answers(performance: pd.DataFrame, confusions: pd.DataFrame) -> Numbers:
    """How often the explained model is right, and what it most often takes for what; no row without labels."""
    of_all = performance[performance["class_index"].isna() & performance["value"].notna()].set_index("metric")
    columns = ("accuracy", "images", "mean probability", "calibration error", "most often confused")
    if "accuracy" not in of_all.index:
        return Numbers("", columns, ())
    first = confusions[confusions["error_rank"] == 1].to_dict("records")
    confused = [f"{row['label_name']} as {row['predicted_name']} ({row['images']})" for row in first]
    cells = [_interval(of_all.loc["accuracy"]), str(of_all.loc["accuracy", "n"])]
    cells += [f"{of_all.loc[name, 'value']:.3f}" for name in ("confidence", "ece")]
    title = "Answers on labelled images (share that is right, 95 % interval)"
    return Numbers(title, columns, ((*cells, *(confused or [NONE])),))


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


def _methods(table: pd.DataFrame) -> Numbers:
    """Rows of the view `headline` that are about the ground truth, as the reports have them."""
    rows = []
    table = table[table["section"] == "localization"]
    for method in dict.fromkeys(table["subject"]):
        found = table[table["subject"] == method].set_index("metric")
        control = " (control)" if found["is_control"].iloc[0] else ""
        cells = [_interval(found.loc[key]) if key in found.index else NONE for key in LOCALIZATION]
        rows.append((f"{method}{control}", *cells, str(found["n"].iloc[0])))
    title = "Maps against the ground truth (mean over images, 95 % interval)"
    heads = tuple(HEADS.get(key, METRICS[key].title) for key in LOCALIZATION)
    return Numbers(title, ("method", *heads, "images"), tuple(rows))


def _count(value: float) -> str:
    return NONE if pd.isna(value) else str(int(value))


def _share(value: float) -> str:
    return NONE if pd.isna(value) else f"{value:.0%}"


def _interval(row: pd.Series) -> str:
    if pd.isna(row["value"]):
        return NONE
    if pd.isna(row["low"]) or pd.isna(row["high"]):
        return f"{row['value']:.3f}"
    return f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
