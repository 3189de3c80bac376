"""What of a probe set puts the numbers of a model's units in doubt: said beside them, not in a table at the end alone."""

from xai_assets.reporting.numbers import records
from xai_assets.reporting.results import StudyResults

_OF_ALL = ("near-duplicates", "training domain of encoder", "most frequent nearest word")
_ZERO_SHOT = "zero-shot accuracy"


def doubts(results: StudyResults, model: str) -> list[str]:
    """The rows of `probe_health` that warn and bear on a model's words and labels, as sentences."""
    return [
        f"With care: {row['key']}: {row['value']}."
        for row in records(results.probe_health)
        if row["level"] == "warn"
        and (
            row["key"] in (*_OF_ALL, f"training domain of {model}") or str(row["key"]).startswith(_ZERO_SHOT)
        )
    ]
