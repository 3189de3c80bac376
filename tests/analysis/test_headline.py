"""What a run ends with is what the warehouse has, and so what the reports say."""

from types import SimpleNamespace

import pandas as pd

from xai_assets.analysis.headline import headline


def test_methods_are_said_as_the_summary_of_the_warehouse_has_them():
    row = {
        "section": "localization",
        "metric": "average_precision",
        "subject": "lime",
        "is_control": False,
        "n": 12,
    }
    rows = pd.DataFrame(
        [
            row | {"section": "model", "metric": "accuracy", "value": 0.9, "low": 0.8, "high": 1.0},
            row | {"value": 0.6654, "low": 0.5951, "high": 0.7299},
            row | {"metric": "iou", "value": 0.25, "low": None, "high": None},
            row | {"subject": "edges", "is_control": True, "value": None, "low": None, "high": None, "n": 0},
            row | {"section": "faithfulness", "metric": "srg", "value": 9.0, "low": 8.0, "high": 9.5},
        ]
    )
    tables = {
        "model_performance": pd.DataFrame({"class_index": [], "value": [], "metric": []}),
        "confusions": pd.DataFrame({"error_rank": []}),
        "layer_summary": pd.DataFrame({"model": []}),
        "headline": rows,
        "probe_health": pd.DataFrame({"key": [], "value": [], "level": []}),
        "prediction_summary": pd.DataFrame([{"model": "m", "domain": "4 of 4 are far", "in_domain": False}]),
    }
    bench = SimpleNamespace(
        study=SimpleNamespace(name="any"), warehouse=SimpleNamespace(read=tables_of(tables))
    )
    (shown,) = headline(bench)
    assert shown.columns == ("method", "pixel AP", "IoU", "images")
    assert shown.rows == (
        ("lime", "0.665 [0.595, 0.730]", "0.250", "12"),
        ("edges (control)", "–", "–", "0"),
    )
    assert shown.notes == ("With care: training domain of m: 4 of 4 are far.",)


def tables_of(tables):
    return lambda study: tables
