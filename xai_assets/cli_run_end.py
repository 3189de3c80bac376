"""What a run ends with: its numbers as tables, what the checks said, the reports, and what to type next."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from dagster import AssetCheckEvaluation, AssetCheckSeverity

from xai_assets.analysis.headline import Numbers
from xai_assets.checks.check import NOT_ASKED, state
from xai_assets.cli_say import say
from xai_assets.text import unescape_markdown

LISTED = 8
"""Checks that are shown with what they say; the UI has all."""

LONGEST = 240


def say_numbers(tables: Sequence[Numbers]) -> None:
    """Print each table with its title, columns aligned, and below it what bids care."""
    for table in tables:
        widths = [max(map(len, column)) for column in zip(table.columns, *table.rows, strict=True)]
        say()
        say(table.title)
        for row in (table.columns, *table.rows):
            say("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        for note in table.notes:
            say(f"  {note}")


def say_checks(checks: Sequence[AssetCheckEvaluation]) -> None:
    """Print how many checks passed, did not, or had nothing to look at, and what those said that did not pass."""
    if not checks:
        return
    asked = [check for check in checks if state(check) != NOT_ASKED]
    bad = [check for check in asked if state(check) == "failed"]
    failed = [check for check in bad if check.severity is AssetCheckSeverity.ERROR]
    said = [f"{len(asked) - len(bad)} passed"]
    said += [f"{len(failed)} failed"] if failed else []
    said += [f"{len(bad) - len(failed)} to look at"] if len(bad) > len(failed) else []
    said += [f"{len(checks) - len(asked)} not asked"] if len(asked) < len(checks) else []
    say()
    say(f"Checks: {', '.join(said)}")
    for check in sorted(bad, key=lambda check: check not in failed)[:LISTED]:
        word = "failed" if check in failed else "look at"
        text = " ".join(unescape_markdown(check.description or "").split())
        text = text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + " …"
        say(f"  {word}: {check.asset_key.to_user_string()}, {check.check_name}: {text}")
    if len(bad) > LISTED:
        say(f"  and {len(bad) - LISTED} more: `xai ui` shows all")


def say_reports(folder: Path) -> None:
    """Print the reports that are there, and the commands that show them."""
    found = sorted(folder.glob("*.pdf"))
    say()
    if found:
        say("Reports")
        for path in found:
            say(f"  {_short(path)}")
        say()
        whole = folder / "study.pdf"
        say(f"Next: {_opener()} {_quoted(_short(whole if whole in found else found[0]))}")
    say(f"{'      ' if found else 'Next: '}xai ui" + "    (every asset, table and check, in the browser)")


def _short(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))


def _opener() -> str:
    return "open" if sys.platform == "darwin" else "start" if os.name == "nt" else "xdg-open"
