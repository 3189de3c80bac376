"""Whether the maps are those of the published libraries: rows of the warehouse, one a method."""

from typing import Any

from xai_assets.reporting.numbers import records
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]


def verification(results: StudyResults) -> Row:
    """`rows`: those of `verification_summary`; `maps`: how many the study has, which without rows are not compared."""
    return {"rows": records(results.verification_summary), "maps": len(results.maps)}
