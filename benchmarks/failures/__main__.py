"""Failures of models whose truth is known, and the nearest neighbour on the same scenes: writes docs/failures.md.

    python -m benchmarks.failures --cache FOLDER --bnnr SITE_PACKAGES      # everything, about twenty minutes on one core
    python -m benchmarks.failures --only labels                            # one part, in its place
    python -m benchmarks.failures --quick                                  # a smoke test, printed and not written

SITE_PACKAGES holds bnnr and what it needs beside this project's packages (`pip install --no-deps --target FOLDER bnnr
typer shellingham`, and cleanlab for the comparison with its rule). Without it the comparison is left out.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks.failures import background, beside_bnnr, labels, pair
from benchmarks.sections import in_their_place

DOCUMENT = Path(__file__).parents[2] / "docs" / "failures.md"
HEAD = (
    "# Failures of models whose truth is known\n\nWritten by `python -m benchmarks.failures`: do not edit.\n"
)
PARTS = ("pair", "labels", "background", "bnnr")


def main() -> None:
    options = arguments()
    if options.bnnr:
        sys.path.append(str(options.bnnr))
    quick = options.quick
    chosen = [options.only] if options.only else [*PARTS[:3], *(["bnnr"] if options.bnnr else [])]
    sections = []
    if "pair" in chosen:
        sections.append(section(pair.__doc__, pair.rows(200, 3) if quick else pair.rows()))
    if "labels" in chosen:
        sections.append(section(labels.__doc__, labels.rows(200, 300, 2) if quick else labels.rows()))
    if "background" in chosen:
        small = {"looked_at": 12, "trained_on": 100, "steps": 5} if quick else {}
        sections.append(section(background.__doc__, background.rows(options.cache, **small)))
    if "bnnr" in chosen:
        sections.append(section(beside_bnnr.__doc__, beside_bnnr.rows(200 if quick else 1000)))
    if quick:
        print("".join(sections))
        return
    DOCUMENT.write_text(in_their_place(DOCUMENT, HEAD, sections), encoding="utf-8")
    print(DOCUMENT)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.failures", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--quick", action="store_true", help="a smoke test, printed and not written")
    parser.add_argument("--only", choices=PARTS, help="one part")
    parser.add_argument("--cache", type=Path, help="folder that keeps the trained model for the next time")
    parser.add_argument("--bnnr", type=Path, help="folder of packages with bnnr")
    return parser.parse_args()


def section(about: str | None, rows: list[dict[str, Any]]) -> str:
    """A title, what it is about, and the rows as a table."""
    title, *more = (about or "").strip().split("\n\n")
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["", f"## {title}", "", *(part + "\n" for part in more)]
    lines += ["| " + " | ".join(names) + " |", "|---" + "|--:" * (len(names) - 1) + "|"]
    lines += ["| " + " | ".join(cell(row.get(name)) for name in names) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
