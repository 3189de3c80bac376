"""True boxes of objects: a CSV file, or COCO's JSON (Lin et al. 2014, `instances_*.json`)."""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from xai_assets.errors import XaiError
from xai_assets.interop.csv_rows import csv_rows

COLUMNS = ("image", "class", "left", "top", "right", "bottom")
MAX_BYTES = 2**30
"""COCO's own file of 860,001 boxes, with outlines, has 450 MB."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the original picture: the first column's left edge is 0, its right edge 1."""

Boxes = dict[tuple[str, str], list[Box]]
"""By image (file name) and class."""


class BoxError(XaiError):
    """A file of boxes that cannot be read; the message names the line or the entry."""


def read_boxes(path: Path) -> Boxes:
    """The boxes of a file: COCO's JSON where its name ends in `.json`, else CSV with the columns of COLUMNS.

    COCO's boxes of crowds (`iscrowd`), which are no objects, are left out.

    Raises:
        BoxError: no such file, too large, not of the format, or a box without area or with values that are not finite.
    """
    return _coco(path) if path.suffix.lower() == ".json" else _csv(path)


def _csv(path: Path) -> Boxes:
    found: Boxes = {}
    remedy = f"The columns are {', '.join(COLUMNS)}: edges in pixels of the original picture."
    rows = csv_rows(path, COLUMNS, filled=COLUMNS, remedy=remedy, error=BoxError, max_bytes=MAX_BYTES)
    for line, row in rows:
        box = _box([row[name] for name in COLUMNS[2:]], f"{path}, line {line}")
        found.setdefault((row["image"].strip(), row["class"].strip()), []).append(box)
    return found


def _coco(path: Path) -> Boxes:
    content = _json(path)
    try:
        images = {int(entry["id"]): str(entry["file_name"]) for entry in content["images"]}
        classes = {int(entry["id"]): str(entry["name"]) for entry in content["categories"]}
        found: Boxes = {}
        for number, entry in enumerate(content["annotations"]):
            if entry.get("iscrowd"):
                continue
            left, top, width, height = entry["bbox"]
            box = _box(
                (left, top, float(left) + float(width), float(top) + float(height)),
                f"{path}, annotation {number}",
            )
            key = images[int(entry["image_id"])], classes[int(entry["category_id"])]
            found.setdefault(key, []).append(box)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BoxError(
            str(path),
            f"is not COCO's format ({type(error).__name__}: {error})"[:200],
            "Name instances_*.json.",
        ) from error
    return found


def _json(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BoxError(
                str(path), f"it has more than {MAX_BYTES:,} bytes", "Keep the images that are explained."
            )
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise BoxError(
            str(path), f"it cannot be read ({error.strerror})", "Name the file of boxes."
        ) from error
    except (ValueError, RecursionError) as error:
        raise BoxError(str(path), f"it is not JSON ({error})"[:200], "Name instances_*.json.") from error
    if not isinstance(content, dict):
        raise BoxError(str(path), "is not COCO's format: no object at its top", "Name instances_*.json.")
    return content


def _box(edges: Iterable[Any], where: str) -> Box:
    try:
        left, top, right, bottom = (float(edge) for edge in edges)
    except (TypeError, ValueError) as error:
        raise BoxError(where, f"an edge is not a number ({error})"[:120], "Mend it.") from error
    if not all(map(math.isfinite, (left, top, right, bottom))) or left >= right or top >= bottom:
        raise BoxError(
            where,
            f"the box from ({left:g}, {top:g}) to ({right:g}, {bottom:g}) has no area",
            "Left is less than right, and top less than bottom.",
        )
    return left, top, right, bottom
