"""Finding an image or a class of a study under the name that a foreign file has for it."""

import unicodedata
from collections.abc import Iterable


class Names:
    """The names of a foreign file, for look-up by ours.

    A file may have folders in front of an image's name (`val2017/a.jpg`, also as Windows writes them), and another
    Unicode form of it.

    Args:
        names: those of the file.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._exact: set[str] = set()
        self._loose: dict[str, list[str]] = {}
        for name in names:
            if name not in self._exact:
                self._exact.add(name)
                self._loose.setdefault(_plain(name), []).append(name)

    def image(self, name: str) -> list[str]:
        """The file's names for an image: one; none where it has none; several where only folders tell them apart."""
        return [name] if name in self._exact else self._loose.get(_plain(name), [])


def same_class(name: str, classes: Iterable[str]) -> str | None:
    """The class that a file calls by this name: as it is, else without regard to case and Unicode form; None: none."""
    known = list(classes)
    if name in known:
        return name
    alike = [other for other in known if _folded(other) == _folded(name)]
    return alike[0] if len(alike) == 1 else None


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()
