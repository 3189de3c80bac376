"""What was set aside (images, rows of a file, cases) and why: grouped by reason, so that many cost no more than few."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NAMED = 20
"""How many names of a group are listed; the others are counted."""

REASONS = 20
"""How many reasons are listed; the others are counted together."""

_CHANGING = re.compile(r"'[^']*'|\"[^\"]*\"|(?:/[^\s/:]+)+|0x[0-9a-f]+|\d[\d.,]*")
"""What two reasons of one kind may differ in: quoted names, paths, numbers."""


@dataclass(frozen=True)
class Group:
    """Things that were set aside for one reason.

    Attributes:
        reason: why; of the first thing where the reasons differ in numbers or names only.
        names: all of them, in order.
        alike: whether the reason is the same to the letter for all.
    """

    reason: str
    names: tuple[str, ...]
    alike: bool = True

    @property
    def count(self) -> int:
        """How many things."""
        return len(self.names)

    @property
    def listed(self) -> str:
        """The first `NAMED` names, and how many more there are."""
        return listed(self.names)

    def line(self, what: str) -> str:
        """One line: a single thing by its name, several by their number with the first names.

        Args:
            what: what the things are, in the plural.
        """
        if self.count == 1:
            return f"{self.names[0]}: {self.reason}"
        such = "" if self.alike else " (so of the first)"
        return f"{self.count:,} {what}: {self.reason.rstrip('.')}{such}: {self.listed}"


def listed(names: Sequence[str], most: int = NAMED) -> str:
    """The first names, and how many more there are."""
    rest = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def by_reason(things: Iterable[tuple[str, str]]) -> list[Group]:
    """Name and reason of each thing as groups, the largest first.

    Reasons that differ in numbers, paths or quoted names only are one.
    """
    names: dict[str, list[str]] = {}
    reasons: dict[str, list[str]] = {}
    for name, reason in things:
        kind = _CHANGING.sub("#", reason.replace(name, "#"))
        names.setdefault(kind, []).append(name)
        reasons.setdefault(kind, [])
        if reason not in reasons[kind][:2]:
            reasons[kind].append(reason)
    groups = [Group(reasons[kind][0], tuple(of), len(reasons[kind]) == 1) for kind, of in names.items()]
    return sorted(groups, key=lambda group: -group.count)


def lines(things: Iterable[tuple[str, str]], what: str) -> list[str]:
    """One line a reason, at most `REASONS` and one that counts the rest."""
    groups = by_reason(things)
    found = [group.line(what) for group in groups[:REASONS]]
    if rest := groups[REASONS:]:
        found.append(f"{sum(group.count for group in rest):,} more {what}, for {len(rest):,} other reasons")
    return found
