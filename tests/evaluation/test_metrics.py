"""The declared records."""

from xai_assets.evaluation.metrics import METRICS
from xai_assets.resources.tables import TABLES

COLUMNS = {name for table in ("localization", "mask_agreement", "maps") for name in TABLES[table].columns}

LONG = {
    "insertion_auc", "deletion_auc", "srg", "road", "average_drop", "increase_in_confidence",
    "max_sensitivity", "noise_floor", "redrawn", "lime_vsi", "lime_csi", "lime_seed_iou", "randomisation_similarity",
}  # fmt: skip
"""Metrics that are rows of a table, not columns: their level of chance is in the row's column `chance`."""


TRIED_AGAINST = {"grounding"}
"""What other metrics are held against; its values go into the table of trials."""


def test_every_record_is_whole_and_of_a_column_or_a_row():
    for key, metric in METRICS.items():
        assert key == metric.key
        assert key in COLUMNS | LONG | TRIED_AGAINST
        assert metric.chance_key is None or metric.chance_key in COLUMNS | LONG | {"chance"}
        assert metric.low < metric.high
        assert metric.title
        assert metric.formula
        assert metric.chance
        assert metric.source


def test_every_measured_column_has_a_record():
    measured = {"iou", "dice", "rank_correlation", "iou_matched", "average_precision", "pointing", "energy"}
    assert measured | {"density"} | LONG | TRIED_AGAINST == set(METRICS)
