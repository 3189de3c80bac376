"""CLIP-Dissect's result folder (Oikarinen & Weng 2023): descriptions.csv and, beside it, args.txt.

descriptions.csv has layer, unit (from 0), description, similarity, and in later versions top_images. args.txt is the
JSON of the script's arguments.
"""

import csv
import io
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from xai_assets.dissection.unit_concepts import CLIP_DISSECT_IMPORT, unit_rows
from xai_assets.files import write_text
from xai_assets.interop.file_rows import ConceptFileError, FileRow, Seen, file_rows, unfit_text
from xai_assets.interop.image_lists import format_images, parse_images
from xai_assets.joined import join_names, split_names
from xai_assets.reading import read_regular

DESCRIPTIONS, ARGUMENTS = "descriptions.csv", "args.txt"
SIMILARITY = "similarity"
"""The score's name where no args.txt says which similarity function it is."""

_MAX_ARGUMENTS = 2**16
_ARGUMENTS = (
    "clip_model",
    "target_model",
    "target_layers",
    "d_probe",
    "concept_set",
    "batch_size",
    "device",
    "activation_dir",
    "result_dir",
    "pool_mode",
    "similarity_fn",
)
"""What CLIP-Dissect's own args.txt has, in its order."""


def read_descriptions(path: Path, model: str) -> pd.DataFrame:
    """descriptions.csv as rows of `unit_concepts`; args.txt beside it, if there, says which similarity it is.

    An empty description is a unit without a concept. The file does not say which units are dead.

    Raises:
        ConceptFileError: what is wrong, by file and line.
    """
    arguments = read_arguments(path.parent / ARGUMENTS)
    score_name = arguments.get("similarity_fn")
    needed = ("layer", "unit", "description", "similarity")
    rows, seen = [], Seen()
    for row in file_rows(path, needed, f"CLIP-Dissect's files have {', '.join(needed)}."):
        layer, unit = row.text("layer"), row.unit(first=0)
        if layer is None:
            raise row.error("it names no layer", "Name the layer.")
        seen.check(row, layer, unit)
        concept = row.text("description")
        score = row.number("similarity")
        rows.append(
            {
                "layer": layer,
                "unit": unit,
                "concept": concept,
                "score": None if concept is None else score,
                "top_images": _images(row),
            }
        )
    return unit_rows(
        rows,
        model=model,
        method=CLIP_DISSECT_IMPORT,
        source=str(path),
        score_name=score_name if isinstance(score_name, str) and score_name else SIMILARITY,
    )


def _images(row: FileRow) -> str | None:
    try:
        return join_names(parse_images(row.values.get("top_images") or "")) or None
    except ValueError as error:
        raise row.error(
            f"top_images {error}", "A list has the form ['a.jpg', 'b.jpg'] or a.jpg|b.jpg."
        ) from error


def read_arguments(path: Path) -> dict[str, Any]:
    """args.txt as a mapping; empty where there is none.

    Raises:
        ConceptFileError: when it is too large or no JSON object.
    """
    if not os.path.lexists(path):
        return {}
    remedy = "Take it away or put the right one there; it is read with descriptions.csv."
    try:
        found = json.loads(read_regular(path, _MAX_ARGUMENTS, error=ConceptFileError, remedy=remedy))
    except (ValueError, RecursionError) as error:
        raise ConceptFileError(str(path), f"it is not JSON ({type(error).__name__})", remedy) from error
    if not isinstance(found, dict):
        raise ConceptFileError(str(path), "it is no JSON object", remedy)
    return found


def write_descriptions(folder: Path, table: pd.DataFrame, arguments: Mapping[str, Any]) -> tuple[Path, Path]:
    """Write a result folder as CLIP-Dissect does, whole or not at all.

    Args:
        folder: absent or empty.
        table: rows of `unit_concepts` of one model and method, one a unit, in the order to write. A unit without a
            concept, a dead one for example, has an empty description, so that the n-th row stays the n-th unit.
        arguments: what is known of CLIP-Dissect's arguments; the others are null. Further ones are kept.

    Returns:
        descriptions.csv and args.txt. Numbers are written so that reading gives them back to the last bit; `top_images`
        is left out where no unit has any.

    Raises:
        ConceptFileError: the folder holds files, there are no rows, or a concept that a spreadsheet would run.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConceptFileError(str(folder), "it holds files already", "Name a new folder.")
    if not len(table):
        raise ConceptFileError(str(folder), "there are no units to write", "Name another model or method.")
    text = _descriptions(folder / DESCRIPTIONS, table)
    known = dict.fromkeys(_ARGUMENTS) | dict(arguments)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        write_text(part / DESCRIPTIONS, text)
        write_text(part / ARGUMENTS, json.dumps(known, indent=2, allow_nan=False))
        part.chmod(0o755)
        os.replace(part, folder)  # an empty folder gives way
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder / DESCRIPTIONS, folder / ARGUMENTS


def _descriptions(path: Path, table: pd.DataFrame) -> str:
    pictures = bool(table["top_images"].notna().any())
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["layer", "unit", "description", "similarity", *(["top_images"] if pictures else [])])
    for row in table.to_dict("records"):
        concept = "" if pd.isna(row["concept"]) else str(row["concept"])
        for text in (concept, str(row["layer"])):
            reason = unfit_text(text)
            if reason:
                raise ConceptFileError(
                    f"{path}, {row['layer']} unit {row['unit']}",
                    f"it would hold {text[:40]!r}, which {reason}",
                    "Take the word out of the concept list.",
                )
        score = "" if not concept or pd.isna(row["score"]) else repr(float(row["score"]))
        line = [row["layer"], int(row["unit"]), concept, score]
        if pictures:
            names = "" if pd.isna(row["top_images"]) else str(row["top_images"])
            line.append(format_images(split_names(names)))
        writer.writerow(line)
    return buffer.getvalue()
