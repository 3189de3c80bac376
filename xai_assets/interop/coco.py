"""COCO's JSON (Lin et al. 2014, `instances_*.json`): its images, categories and annotations, in whatever order they come.

An entry that is wrong is set aside with its reason, and the others are read. What an annotation is read for, its box or
its category, is for those who derive from `CocoEntries`.
"""

from pathlib import Path
from typing import Any

from xai_assets.errors import XaiError
from xai_assets.interop.json_items import NotJSON, items
from xai_assets.reading import as_text, read_regular

MAX_BYTES = 2**30
"""COCO's own file of 860,001 boxes, with outlines, has 450 MB."""

_REMEDY = "Name COCO's instances_*.json."
_ENTRY = {"images": "image", "categories": "category", "annotations": "annotation"}

Key = tuple[str, str]
"""The numbers of an annotation's image and category."""


class CocoEntries:
    """What the three lists hold.

    Attributes:
        images: file name by number.
        categories: name by number.
        set_aside: entries that cannot be used: what each is, and why.
    """

    def __init__(self) -> None:
        self.images: dict[str, str] = {}
        self.categories: dict[str, str] = {}
        self.set_aside: list[tuple[str, str]] = []
        self._twice: dict[tuple[str, str], str] = {}

    def image(self, name: str, entry: dict[str, Any]) -> None:
        """Called with each image that is listed."""

    def category(self, name: str) -> None:
        """Called with each category that is listed."""

    def annotation(self, entry: dict[str, Any], what: str) -> None:
        """Called with each annotation; raises ValueError with the reason for which it cannot be used."""

    def take(self, part: str, entry: Any, number: int) -> None:
        """One entry of one of the lists."""
        what = f"{_ENTRY[part]} {entry['id']}" if _has_id(entry) else f"{_ENTRY[part]} number {number + 1}"
        try:
            if not isinstance(entry, dict):
                raise ValueError("it is no object")
            if part == "annotations":
                self.annotation(entry, what)
            else:
                self._named(part, entry)
        except ValueError as error:
            self.set_aside.append((what, str(error)))

    def _named(self, part: str, entry: dict[str, Any]) -> None:
        known, key = (self.images, "file_name") if part == "images" else (self.categories, "name")
        number, name = _identity(entry, "id"), entry.get(key)
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"it has no {key}")
        name = name.strip()
        before = known.setdefault(number, name)
        if before != name:
            self._twice[part, number] = f"its number {number} is that of {before!r} and of {name!r}"
        if part == "images":
            self.image(name, entry)
        else:
            self.category(name)

    def key(self, entry: dict[str, Any]) -> Key:
        """The numbers of an annotation's image and category; raises ValueError."""
        return _identity(entry, "image_id"), _identity(entry, "category_id")

    def why_unclear(self, key: Key) -> str | None:
        """Why it is not known what image and category an annotation is of, once all entries are read; or None."""
        image, category = key
        if image not in self.images:
            return f"there is no image {image} in the file"
        if category not in self.categories:
            return f"there is no category {category} in the file"
        return self._twice.get(("images", image)) or self._twice.get(("categories", category))


def read_coco(path: Path, entries: CocoEntries, *, error: type[XaiError]) -> None:
    """Hand each entry of a file to `entries`.

    Raises:
        XaiError: (of the class `error`) no such file, too large, not JSON, or without images or categories.
    """
    data = read_regular(path, MAX_BYTES, error=error, remedy=_REMEDY)
    text = as_text(data, name=path.name, error=error)
    seen: dict[str, int] = {}
    try:
        for part, entry in items(text, tuple(_ENTRY)):
            seen[part] = seen.get(part, -1) + 1
            entries.take(part, entry, seen[part])
    except NotJSON as found:
        said = str(found)[:200]
        why = (
            f"is not COCO's format: {said}" if said == "no object at its top" else f"it is not JSON ({said})"
        )
        raise error(str(path), why, _REMEDY) from found
    for part in ("images", "categories"):
        if part not in seen:
            raise error(str(path), f"is not COCO's format: it lists no {part}", _REMEDY)


def _has_id(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("id"), (int, str)) and len(str(entry["id"])) < 40


def _identity(entry: dict[str, Any], key: str) -> str:
    """A number that one entry names another by; some tools write it as text."""
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
        raise ValueError(f"it has no {key}" if value in (None, "") else f"its {key} is {str(value)[:40]!r}")
    return str(value)
