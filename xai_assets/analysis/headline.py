"""The numbers that a run ends with, read from the warehouse."""

import pandas as pd

from xai_assets.analysis.workbench import Workbench

MEASURES = {"average_precision": "pixel average precision", "iou": "IoU at the study's threshold"}


def headline(bench: Workbench) -> list[str]:
    """A few lines: what each layer's units detect, and where each method stands against the truth and its controls."""
    tables = bench.warehouse.read(bench.study.name)
    return _layers(tables["layer_summary"]) + _methods(tables["metric_summary"])


def _layers(summary: pd.DataFrame) -> list[str]:
    lines = []
    for row in summary.to_dict("records"):
        text = f"{row['model']} {row['layer']}: {row['units']} units, {row['dead']} dead"
        if pd.notna(row["detectors"]):
            text += f", {row['detectors']} detectors of {row['unique_detectors']} labels"
        if pd.notna(row["truth_presence"]):
            text += f"; CLIP-Dissect's word is in {row['truth_presence']:.0%} of the top images"
            text += f" (chance {row['chance_presence']:.0%})"
        lines.append(text)
    return lines


def _methods(summary: pd.DataFrame) -> list[str]:
    """As the reports have them: means over images, whose interval is over images as well."""
    lines = []
    for method in dict.fromkeys(summary["method"]):
        rows = summary[(summary["method"] == method) & summary["metric"].isin(MEASURES)].set_index("metric")
        if rows.empty:
            continue
        parts = [
            f"{title} {_interval(rows.loc[key])}" for key, title in MEASURES.items() if key in rows.index
        ]
        control = " (control)" if rows["is_control"].iloc[0] else ""
        lines.append(f"{method}{control}: {', '.join(parts)}, n = {rows['n'].iloc[0]} images")
    return lines


def _interval(row: pd.Series) -> str:
    if pd.isna(row["mean"]):
        return "not measured"
    if pd.isna(row["low"]) or pd.isna(row["high"]):
        return f"{row['mean']:.3f}"
    return f"{row['mean']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
