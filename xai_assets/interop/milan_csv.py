"""MILAN's descriptions of units (Hernandez et al. 2022): layer, unit (from 0), description."""

from pathlib import Path

import pandas as pd

from xai_assets.dissection.unit_concepts import MILAN_IMPORT, unit_rows
from xai_assets.interop.file_rows import Seen, file_rows


def read_milan(path: Path, model: str) -> pd.DataFrame:
    """The file as rows of `unit_concepts`: sentences as concepts, no scores.

    Raises:
        ConceptFileError: what is wrong, by file and line.
    """
    rows, seen = [], Seen()
    for row in file_rows(
        path, ("layer", "unit", "description"), "MILAN's files have layer, unit, description."
    ):
        layer, unit = row.text("layer"), row.unit(first=0)
        if layer is None:
            raise row.error("it names no layer", "Name the layer.")
        seen.check(row, layer, unit)
        rows.append({"layer": layer, "unit": unit, "concept": row.text("description")})
    return unit_rows(rows, model=model, method=MILAN_IMPORT, source=str(path))
