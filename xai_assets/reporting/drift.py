"""What is no longer as it was in the run before; nothing where nothing changed."""

from typing import Any

from xai_assets.reporting import names
from xai_assets.reporting.numbers import records
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]


def drift(results: StudyResults) -> Row:
    """The chapter's data: `rows` (of the table `explanation_drift`, each with a `title`) and `sentences`."""
    rows = [
        {**row, "title": row["subject"] if row["kind"] == "concepts" else names.method(row["subject"]).title}
        for row in records(results.explanation_drift)
    ]
    moved = [row for row in rows if row["drifted"]]
    if not rows:
        return {"rows": [], "sentences": []}
    if not moved:
        return {
            "rows": rows,
            "sentences": ["No change beyond noise and the study's limit since the run before."],
        }
    told = [f"{row['title']}, {row['measure'].replace('_', ' ')}: {row['said']}" for row in moved]
    return {"rows": rows, "sentences": ["More than noise changed since the run before.", *told]}
