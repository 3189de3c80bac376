"""The declared records."""

from xai_assets.evaluation.metrics import METRICS
from xai_assets.resources.tables import TABLES

COLUMNS = {name for table in ("localization", "mask_agreement", "maps") for name in TABLES[table].columns}


def test_every_record_is_of_a_column_and_whole():
    for key, metric in METRICS.items():
        assert key == metric.key
        assert key in COLUMNS
        assert metric.chance_key is None or metric.chance_key in COLUMNS
        assert metric.low < metric.high
        assert metric.title
        assert metric.formula
        assert metric.chance
        assert metric.source


def test_every_measured_column_has_a_record():
    measured = {"iou", "dice", "rank_correlation", "iou_matched", "average_precision", "pointing", "energy"}
    assert measured | {"density"} == set(METRICS)
