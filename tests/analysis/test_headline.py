"""What a run ends with is what the warehouse has, and so what the reports say."""

from types import SimpleNamespace

import pandas as pd

from xai_assets.analysis.headline import headline


def test_methods_are_said_as_the_summary_of_the_warehouse_has_them():
    row = {"metric": "average_precision", "method": "lime", "is_control": False, "n": 12}
    summary = pd.DataFrame(
        [
            row | {"mean": 0.6654, "low": 0.5951, "high": 0.7299},
            row | {"metric": "iou", "mean": 0.25, "low": None, "high": None},
            row | {"metric": "srg", "mean": 9.0, "low": 8.0, "high": 9.5},
            row | {"method": "edges", "is_control": True, "mean": None, "low": None, "high": None, "n": 0},
            row
            | {"metric": "srg", "method": "ones", "is_control": True, "mean": 9.0, "low": 8.0, "high": 9.5},
        ]
    )
    tables = {"layer_summary": pd.DataFrame(), "metric_summary": summary}
    bench = SimpleNamespace(
        study=SimpleNamespace(name="any"), warehouse=SimpleNamespace(read=tables_of(tables))
    )
    (shown,) = headline(bench)
    assert shown.columns == ("method", "pixel AP", "IoU", "images")
    assert shown.rows == (
        ("lime", "0.665 [0.595, 0.730]", "0.250", "12"),
        ("edges (control)", "–", "–", "0"),
    )


def tables_of(tables):
    return lambda study: tables
