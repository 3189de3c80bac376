"""What a study's units stand for, in numbers: by model, method and layer, from computed and imported rows alike."""

from typing import Any

import pandas as pd

from xai_assets.analysis.unit_tables import study_units
from xai_assets.dissection.agreement import category_agreement
from xai_assets.dissection.unit_concepts import LABELS, WORDS
from xai_assets.reporting.numbers import plain, records
from xai_assets.resources.warehouse import Warehouse

MIN_UNITS = 2
"""A concept is listed among a layer's most frequent from this many units."""

LISTED = 5


def summarise(warehouse: Warehouse, study: str) -> dict[str, Any]:
    """The study's summary as plain values for JSON.

    Returns:
        study; sources (those of the rows); layers (rows of the view concepts_by_layer; layer None: all together);
        concepts (the most frequent of each layer, at least MIN_UNITS units, LISTED a layer); categories (rows of
        category_shares); models (rows of models_compared); agreement (rows of `category_agreement`, with the methods
        that are compared, for every pair of a method that gives words and one that gives pixel labels).

    Raises:
        XaiError: the warehouse has no unit concepts of the study.
    """
    units = study_units(warehouse, study)
    tables = warehouse.read(study)
    return {
        "study": study,
        "sources": list(dict.fromkeys(units["source"])),
        "layers": records(tables["concepts_by_layer"]),
        "concepts": records(_frequent(tables["units_per_concept"])),
        "categories": records(tables["category_shares"]),
        "models": records(tables["models_compared"]),
        "agreement": _agreement(units),
    }


def _frequent(counts: pd.DataFrame) -> pd.DataFrame:
    """The first of each layer; equal ones in alphabetical order."""
    ordered = counts[counts["units"] >= MIN_UNITS].sort_values(
        ["model", "method", "layer", "units", "concept"], ascending=[True, True, True, False, True]
    )
    return ordered.groupby(["model", "method", "layer"], sort=False).head(LISTED)


def _agreement(units: pd.DataFrame) -> list[dict[str, Any]]:
    found = []
    for words in WORDS:
        for labels in LABELS:
            table = category_agreement(units[units["method"] == words], units[units["method"] == labels])
            found += [plain({"words": words, "labels": labels, **row}) for row in records(table)]
    return found
