r"""Several names in one cell of a table, joined by ';'. A ';' or '\' within a name has a '\' before it."""

import re
from collections.abc import Iterable


def join_names(names: Iterable[str]) -> str:
    r"""The names in one cell: `a.jpg;b\;c.jpg` for `a.jpg` and `b;c.jpg`; `split_names` gives them back."""
    return ";".join(re.sub(r"[;\\]", r"\\\g<0>", name) for name in names)


def split_names(cell: str) -> list[str]:
    r"""The names of a cell that `join_names` made; none of an empty cell. A last '\' alone stands for itself."""
    if not cell:
        return []
    if (len(cell) - len(cell.rstrip("\\"))) % 2:
        cell += "\\"
    parts = re.findall(r"(?:[^;\\]|\\.)+|;", cell, re.DOTALL)
    names = [""]
    for part in parts:
        if part == ";":
            names.append("")
        else:
            names[-1] = re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL)
    return names
