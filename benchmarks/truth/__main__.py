"""What the decisions and intervals of the product do in simulations whose truth is known: writes docs/truth.md.

    python -m benchmarks.truth                    # everything, an hour or so: `make truth`
    python -m benchmarks.truth --quick            # a smoke test: few trials, printed and not written
    python -m benchmarks.truth --only coverage    # one part, written in its place

Every module beside this one that has a function `rows(trials)` is a part; `coverage` is one of its own.
"""

import argparse
import importlib
import pkgutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.sections import in_their_place
from benchmarks.truth.coverage import coverage

FOLDER = Path(__file__).parent
DOCUMENT = FOLDER.parents[1] / "docs" / "truth.md"
TRIALS, COVERAGE_TRIALS, FEW = 400, 4000, 20
LEVEL = 0.05
HEAD = (
    "# What the decisions and intervals do where the truth is known\n\n"
    "Written by `make truth`: do not edit. Data are drawn, the product's own functions decide, and it is counted how "
    "often they are right. All seeds are fixed in `benchmarks/truth`, so that the same code gives the same tables. "
    "The standard error (se) is that of the simulation.\n\n"
    f"`decided` is how often something is decided (yes or no) where there is no effect: at most {LEVEL:.0%} is "
    f"promised, and a share is marked as above where it exceeds {LEVEL:.0%} by more than three standard errors. "
    "`power` is how often the effect is found where there is one, of the size `effect`.\n"
)


def main() -> None:
    options = arguments()
    names = parts()
    chosen = [options.only] if options.only else [*names, "coverage"]
    trials = FEW if options.quick else options.trials
    often = FEW if options.quick else options.coverage_trials
    sections = [
        decisions(name, importlib.import_module(f"benchmarks.truth.{name}").rows(trials), trials)
        for name in chosen
        if name in names
    ]
    if "coverage" in chosen:
        sections.append(intervals(coverage(often), often))
    if options.quick:
        print(*sections, sep="\n")
        return
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(in_their_place(DOCUMENT, HEAD, sections), encoding="utf-8")
    print(DOCUMENT)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"{FEW} trials of each, printed and not written")
    parser.add_argument("--only", choices=[*parts(), "coverage"], help="one part, in its place")
    parser.add_argument("--trials", type=int, default=TRIALS, help="of each decision")
    parser.add_argument("--coverage-trials", type=int, default=COVERAGE_TRIALS, help="of each interval")
    return parser.parse_args()


def parts() -> list[str]:
    """The modules that have simulations of decisions."""
    return sorted(
        module.name
        for module in pkgutil.iter_modules([str(FOLDER)])
        if module.name not in ("__main__", "coverage")
    )


def decisions(part: str, rows: Sequence[dict[str, Any]], trials: int) -> str:
    """The section of a part: its title, how many of its shares are above the promise, and a table for each note."""
    above = [row for row in rows if row["decided"] is not None and row["decided"] > LEVEL + 3 * row["se"]]
    title = (importlib.import_module(f"benchmarks.truth.{part}").__doc__ or part).splitlines()[0].rstrip(".")
    lines = [f"## {title}", "", f"{trials} trials of each; {len(above)} of {len(rows)} shares are above."]
    for note in dict.fromkeys(str(row["note"]) for row in rows):
        lines += ["", f"{note[:1].upper()}{note[1:]}.", ""]
        lines += ["| family | n | decided | se | power | effect |", "|---|--:|--:|--:|--:|--:|"]
        lines += [
            f"| {row['family']} | {row['n']} | {_number(row['decided'])}{' above' * (row in above)} | "
            f"{_number(row['se'])} | {_number(row['power'])} | {_number(row['effect'], 2)} |"
            for row in rows
            if str(row["note"]) == note
        ]
    return "\n".join(lines) + "\n"


def intervals(covered: Sequence[dict[str, Any]], trials: int) -> str:
    """The section on how often an interval holds the true value."""
    lines = [
        "## Intervals",
        "",
        "How often an interval of 95 % holds the true value, by its kind (`xai_assets/evaluation`) and number "
        f"of observations; of clusters n is their number. {trials} trials of each, so that se is "
        f"{(0.95 * 0.05 / trials) ** 0.5:.4f} where 0.95 are covered and {(0.9 * 0.1 / trials) ** 0.5:.4f} at 0.90. "
        "Promised are 0.93 for normal and beta(6, 2) values and for proportions, and 0.90 for skewed ones, at n = 10 and "
        "12, whatever the kind. Lognormal values are not promised: with few of them no interval knows of the rare large "
        "ones. Nor is n = 5: a report that has intervals of fewer than 10 says so on its front page. In brackets: the "
        "share of trials without an interval, since all values were equal.",
    ]
    numbers = list(dict.fromkeys(row["n"] for row in covered))
    for kind in dict.fromkeys(row["kind"] for row in covered):
        lines += ["", f"### {kind[:1].upper()}{kind[1:]}", ""]
        lines += [
            "| values | " + " | ".join(f"n = {n}" for n in numbers) + " |",
            "|---|" + "--:|" * len(numbers),
        ]
        own = {(row["distribution"], row["n"]): row for row in covered if row["kind"] == kind}
        for distribution in dict.fromkeys(name for name, _ in own):
            cells = [_cell(own[distribution, n]) for n in numbers]
            lines.append(f"| {distribution} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(row: dict[str, Any]) -> str:
    without = f" ({row['without']:.0%} none)" if row["without"] >= 0.005 else ""
    return f"{_number(row['covered'])}{without}"


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None or value != value else f"{value:.{digits}f}"


if __name__ == "__main__":
    main()
