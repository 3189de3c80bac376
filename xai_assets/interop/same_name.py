"""Finding an image of a study under the name that a foreign file has for it."""

import unicodedata
from collections.abc import Iterable


class Names:
    """The names of a foreign file, for look-up by ours.

    A file may have further folders in front of an image's name (`val2017/a.jpg`, also as Windows writes them), or fewer
    than the study has, and another Unicode form of it.

    Args:
        names: those of the file.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._exact: set[str] = set()
        self._loose: dict[str, list[str]] = {}
        for name in names:
            if name not in self._exact:
                self._exact.add(name)
                self._loose.setdefault(_steps(name)[-1], []).append(name)

    def image(self, name: str) -> list[str]:
        """The file's names for an image: one; none where it has none; several where only folders tell them apart.

        The name itself; else those that end with it, or that it ends with, whole folders at a time: of these the ones
        that have most folders in common.
        """
        if name in self._exact:
            return [name]
        steps = _steps(name)
        common = [(other, _common(steps, _steps(other))) for other in self._loose.get(steps[-1], [])]
        most = max((count for _, count in common), default=0)
        return [other for other, count in common if count == most > 0]


def _steps(path: str) -> list[str]:
    """The folders of a path and the name at its end, in one Unicode form."""
    plain = unicodedata.normalize("NFC", path.replace("\\", "/"))
    return [step for step in plain.split("/") if step not in ("", ".")] or [""]


def _common(one: list[str], other: list[str]) -> int:
    """The length of the shorter path where the longer one ends with it, else 0."""
    least = min(len(one), len(other))
    return least if one[-least:] == other[-least:] else 0
