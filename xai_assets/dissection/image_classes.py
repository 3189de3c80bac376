"""The class that each image of a folder shows, where its file name says it or a table does."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from xai_assets.dissection.class_pattern import CLASS, class_pattern
from xai_assets.dissection.probe import ProbeError
from xai_assets.interop.csv_rows import csv_rows
from xai_assets.interop.same_name import Names

COLUMNS = ("image", "class")


def by_pattern(text: str, ids: Iterable[str]) -> dict[str, str]:
    """The class of each image whose name the pattern fits.

    Raises:
        ProbeError: it fits none.
    """
    pattern = class_pattern(text)
    names = list(ids)
    found = {name: match["name"] for name in names if (match := pattern.fullmatch(name))}
    if not found:
        raise ProbeError(
            f"the pattern {text} of the probe's classes",
            f"fits none of the {len(names)} image names, such as {names[0] if names else 'none'}",
            f"Write {CLASS} where the class is, * for any text and # for digits, as in n#_{CLASS}.JPEG.",
        )
    return found


def by_table(path: Path, ids: Iterable[str]) -> dict[str, str]:
    """The class of each image that a CSV file with the columns `image` and `class` names.

    Raises:
        ProbeError: the file cannot be read, or names no image of the probe set.
    """
    remedy = f"Give a CSV file with the columns {' and '.join(COLUMNS)}."
    said = {
        row["image"].strip(): row["class"].strip()
        for _, row in csv_rows(
            path, COLUMNS, filled=COLUMNS, remedy=remedy, error=ProbeError, wrong=lambda line, why: None
        )
    }
    names = Names(said)
    found = {image: said[known[0]] for image in ids if len(known := names.image(image)) == 1}
    if not found:
        raise ProbeError(str(path), "it names no image of the probe set", remedy)
    return found


def without_class(ids: Iterable[str], classes: Mapping[str, str]) -> list[str]:
    """The images of which no class is known."""
    return [name for name in ids if name not in classes]
