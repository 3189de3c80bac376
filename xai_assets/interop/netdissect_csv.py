"""NetDissect-Lite's tally of a layer (Bau et al. 2017): the best label of each unit, units counted from 1.

The file has unit, category, label, score (IoU), and five columns a category: <category>-label, -truth (pixels of the
label), -activation (pixels of the unit, on images labelled in the category), -intersect and -iou. Rows are sorted by
score. The runner-up and the gap are taken over the categories, since only the best label of each stands in the file.
Where the file has the counts, each IoU is computed from them again: intersect / (truth + activation - intersect).
"""

from pathlib import Path

import pandas as pd

from xai_assets.dissection.netdissect import MIN_IOU
from xai_assets.dissection.unit_concepts import IOU, NETDISSECT_IMPORT, unit_rows
from xai_assets.interop.file_rows import FileRow, Seen, file_rows

_NO_LABEL = ("", "-")
"""Label 0, "no label": NetDissect-Lite calls it '-', and its published files leave it empty."""

NOTES = "notes"
"""The entry of the table's `attrs` with what the counts say otherwise: name and reason of each unit."""

SLACK = 0.002
"""The share by which a published IoU may differ from its counts: the authors' differ by up to 0.0015 of it."""

_COUNTS = ("truth", "activation", "intersect")

_NEEDED = ("unit", "category", "label", "score")


def read_tally(path: Path, model: str, layer: str) -> pd.DataFrame:
    """The file as rows of `unit_concepts`, in the order of the units, counted from 0.

    A unit is a detector where its IoU is above MIN_IOU, as the authors count. A unit whose best label is none, or has
    an IoU of 0, has no concept. The file does not say which units are dead. Where an IoU is not the one that its counts
    give, to the digits that are written, the counts' is taken, and `attrs[NOTES]` has both.

    Raises:
        ConceptFileError: what is wrong, by file and line.
    """
    units: dict[int, dict[str, object]] = {}
    seen = Seen()
    notes: list[tuple[str, str]] = []
    for row in file_rows(path, _NEEDED, f"NetDissect's files have {', '.join(_NEEDED)}, and more."):
        unit = row.unit(first=1)
        seen.check(row, layer, unit)
        label = _label(row, "label")
        score = _checked(row, "score", row.values["category"].strip(), notes)
        found: dict[str, object] = {"unit": unit, "score": score, "detector": False}
        units[unit] = found
        if label is not None and score:
            found |= {"concept": label, "category": row.text("category"), "detector": score > MIN_IOU}
            found |= _runner_up(row, score, notes)
    rows = [units[unit] for unit in sorted(units)]
    table = unit_rows(
        rows, model=model, layer=layer, method=NETDISSECT_IMPORT, source=str(path), score_name=IOU
    )
    table.attrs[NOTES] = notes
    return table


def _checked(row: FileRow, column: str, category: str, notes: list[tuple[str, str]]) -> float | None:
    """The IoU of a column, by the counts of its category where the row has them."""
    value = _iou(row, column)
    counts = [
        row.number(f"{category}-{name}") if f"{category}-{name}" in row.values else None for name in _COUNTS
    ]
    truth, activation, both = counts
    if value is None or truth is None or activation is None or both is None:
        return value
    unit = f"unit {row.values['unit'].strip()}"
    if min(truth, activation, both) < 0 or both > min(truth, activation):
        said = (
            f"the counts of {category} cannot be: {both:g} of {truth:g} and {activation:g} pixels in common"
        )
        notes.append((unit, said))
        return value
    union = truth + activation - both
    counted = both / union if union else 0.0
    if abs(counted - value) <= _rounding(row.values[column].strip()) + SLACK * counted:
        return value
    notes.append(
        (unit, f"{column} of {category} is {value:g} in the file, and its counts give {counted:.4g}")
    )
    return counted


def _rounding(text: str) -> float:
    """A unit of the last digit of a decimal number: some tools cut digits off."""
    mantissa, _, exponent = text.lower().partition("e")
    digits = len(mantissa.partition(".")[2]) - int(exponent or 0)
    return 10.0**-digits


def _runner_up(row: FileRow, score: float, notes: list[tuple[str, str]]) -> dict[str, object]:
    """The best label of the other categories and how far it stands behind; nothing where the file has no columns."""
    others = []
    for column in row.values:
        category, ending = column[: -len("-iou")], column[-len("-iou") :]
        if ending == "-iou" and category != row.values["category"] and f"{category}-label" in row.values:
            label, iou = _label(row, f"{category}-label"), _checked(row, column, category, notes)
            if label is not None and iou is not None:
                others.append((iou, label))
    if not others:
        return {}
    iou, label = max(others, key=lambda pair: pair[0])
    return {"runner_up": label, "gap": score - iou}


def _iou(row: FileRow, column: str) -> float | None:
    value = row.number(column)
    if value is not None and not 0 <= value <= 1:
        raise row.error(f"{column} is {value}, not an IoU from 0 to 1", "Mend the line.")
    return value


def _label(row: FileRow, column: str) -> str | None:
    return None if row.values[column].strip() in _NO_LABEL else row.text(column)
