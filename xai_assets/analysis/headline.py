"""The numbers that a run ends with, read from the warehouse."""

import pandas as pd

from xai_assets.analysis.workbench import Workbench
from xai_assets.evaluation.localization import of_object
from xai_assets.evaluation.statistics import Interval, bootstrap_mean

MEASURES = {"average_precision": "pixel average precision", "iou": "IoU at the study's threshold"}


def headline(bench: Workbench) -> list[str]:
    """A few lines: what each layer's units detect, and where each method stands against the truth and its controls."""
    tables = bench.warehouse.read(bench.study.name)
    return _layers(tables["layer_summary"]) + _methods(of_object(tables["localization"]), bench.study.seed)


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


def _methods(localization: pd.DataFrame, seed: int) -> list[str]:
    lines = []
    for method in dict.fromkeys(localization["method"]):
        rows = localization[localization["method"] == method]
        parts = []
        for column, title in MEASURES.items():
            found = bootstrap_mean(rows[column], seed=seed)
            parts.append(f"{title} {_interval(found)}")
        control = " (control)" if rows["is_control"].iloc[0] else ""
        lines.append(f"{method}{control}: {', '.join(parts)}, n = {found.n}")
    return lines


def _interval(found: Interval) -> str:
    if found.mean is None:
        return "not measured"
    if found.low is None or found.high is None:
        return f"{found.mean:.3f}"
    return f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"
