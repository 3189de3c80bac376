"""What other tools say of units, read into rows of `unit_concepts`: one entry for every format.

The formats, told apart by their columns:

- `clip_dissect`: CLIP-Dissect's descriptions.csv (layer, unit, description, similarity[, top_images]), units from 0;
- `netdissect`: NetDissect-Lite's tally of one layer (unit, category, label, score, ...), units from 1;
- `milan`: MILAN's descriptions (layer, unit, description), units from 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from xai_assets.dissection.unit_concepts import CLIP_DISSECT_IMPORT, MILAN_IMPORT, NETDISSECT_IMPORT
from xai_assets.interop.clip_dissect_csv import read_descriptions
from xai_assets.interop.csv_rows import csv_header
from xai_assets.interop.file_rows import MAX_BYTES, ConceptFileError
from xai_assets.interop.milan_csv import read_milan
from xai_assets.interop.netdissect_csv import read_tally


@dataclass(frozen=True)
class Format:
    """A format: the columns that it must have, the method of its rows, who reads it, and whether it names its layers."""

    columns: tuple[str, ...]
    method: str
    read: Callable[..., pd.DataFrame]
    names_layers: bool


FORMATS: dict[str, Format] = {
    "clip_dissect": Format(
        ("layer", "unit", "description", "similarity"), CLIP_DISSECT_IMPORT, read_descriptions, True
    ),
    "netdissect": Format(("unit", "category", "label", "score"), NETDISSECT_IMPORT, read_tally, False),
    "milan": Format(("layer", "unit", "description"), MILAN_IMPORT, read_milan, True),
}
"""In the order in which they are tried: CLIP-Dissect's columns hold MILAN's."""


def detect_format(path: Path) -> str:
    """The format whose columns the file has.

    Raises:
        ConceptFileError: when it has those of none, or cannot be read.
    """
    try:
        header = csv_header(path, error=ConceptFileError, max_bytes=MAX_BYTES)
    except FileNotFoundError as error:
        raise ConceptFileError(str(path), "there is no such file", "Check the path.") from error
    for name, known in FORMATS.items():
        if set(known.columns) <= set(header):
            return name
    expected = "; ".join(f"{name}: {', '.join(known.columns)}" for name, known in FORMATS.items())
    raise ConceptFileError(
        f"{path}, line 1",
        f"its columns ({', '.join(header)[:200]}) are those of no known format",
        f"Known formats are {expected}.",
    )


def read_concept_file(
    path: str | Path, model: str, *, format: str | None = None, layer: str | None = None
) -> pd.DataFrame:
    """One file as rows of `unit_concepts` without `study`; `source` is the path as it was given.

    Args:
        path: the CSV file.
        model: the dissected model's name.
        format: of `FORMATS`; None: told by the columns.
        layer: the layer of a format that names none (netdissect).

    Raises:
        ConceptFileError: what is wrong with the file, by line; a layer missing, or given where the file has its own.
    """
    path = Path(path)
    known = FORMATS[format or detect_format(path)]
    if known.names_layers:
        if layer is not None:
            raise ConceptFileError(str(path), "it names its layers itself", "Leave the layer out.")
        return known.read(path, model)
    if layer is None:
        raise ConceptFileError(
            str(path), "it does not say which layer it is of", "Name the layer (--layer, such as layer4)."
        )
    return known.read(path, model, layer)
