"""What of a probe set puts the numbers of a model's units in doubt: said beside them, not in a table at the end alone."""

from collections.abc import Sequence

import pandas as pd

from xai_assets.reporting.numbers import records
from xai_assets.reporting.results import StudyResults

_OF_ALL = ("near-duplicates", "training domain of encoder", "most frequent nearest word")
_ZERO_SHOT = "zero-shot accuracy"


def doubts(results: StudyResults, model: str) -> list[str]:
    """The rows of `probe_health` that warn and bear on a model's words and labels, as sentences."""
    return doubts_of_units(results.probe_health, [model])


def doubts_of_units(health: pd.DataFrame, models: Sequence[str]) -> list[str]:
    """The same of the table and for several models, each once."""
    bearing = (*_OF_ALL, *(f"training domain of {model}" for model in models))
    return [
        f"With care: {row['key']}: {row['value']}."
        for row in records(health)
        if row["level"] == "warn" and (row["key"] in bearing or str(row["key"]).startswith(_ZERO_SHOT))
    ]


def doubts_of_answers(summary: pd.DataFrame) -> list[str]:
    """That the explained images are not what the model was trained on.

    Args:
        summary: the table `prediction_summary`.
    """
    return [
        f"With care: training domain of {row['model']}: {row['domain']}."
        for row in records(summary)
        if row["in_domain"] is False
    ]
