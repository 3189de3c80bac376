"""What the UI shows of a step: the only place that makes Markdown of ours, and where foreign text goes through.

Dagster renders the descriptions of check results and metadata of the type `md` as Markdown, with links and with images
that the browser fetches when the page opens. Names of files and classes, titles, and reasons of errors come from outside.
A test holds that nothing else in the package makes such metadata.
"""

from collections.abc import Sequence
from typing import NewType

import dagster as dg

from xai_assets.resources.table import Table
from xai_assets.text import escape_markdown, printable
from xai_assets.web.publish import Served

PREVIEW_COLUMNS = 8
LONGEST_CELL = 48
SHOWN_IN_PLACE = 999
"""Characters of Markdown up to which the UI shows it at once, and not behind a button."""

Markdown = NewType("Markdown", str)
"""Text that may be rendered as Markdown; only the functions of this module make it."""


def sentence(text: str) -> Markdown:
    """A description that the UI renders as Markdown, and that reads there as the text itself."""
    return Markdown(escape_markdown(text))


def markdown_entry(made: Markdown) -> dg.MarkdownMetadataValue:
    """An entry of an asset's metadata."""
    return dg.MetadataValue.md(made)


def table_of(rows: Table) -> Markdown:
    """A small table: the first columns and as many rows as the UI shows at once; every cell is text."""

    def cell(value: object) -> str:
        text = printable(f"{value:.4g}" if isinstance(value, float) else str(value))
        return escape_markdown(text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…")

    columns = list(rows.columns)[:PREVIEW_COLUMNS]
    lines = ["| " + " | ".join(map(cell, columns)) + " |", "|" + "---|" * len(columns)]
    for row in rows.to_dict("records"):
        line = "| " + " | ".join(cell(row[column]) for column in columns) + " |"
        if len("\n".join([*lines, line])) > SHOWN_IN_PLACE and len(lines) > 2:
            break
        lines.append(line)
    return Markdown("\n".join(lines))


def links(files: Sequence[tuple[Served, str]]) -> Markdown:
    """Files that the UI serves, each as a link with its label; or where they are kept, and why it serves none."""
    return Markdown(" · ".join(_link(served, label) for served, label in files))


def image(served: Served, said: str, what: str) -> Markdown:
    """A served image with its alternative text, which is shown below it as well.

    Args:
        served: where it is.
        said: the alternative text.
        what: what it shows, in a word or two, where the UI serves no images.
    """
    if served.address is None:
        return Markdown(_link(served, what))
    alternative = escape_markdown(said)
    return Markdown(f"![{alternative}](<{served.address}>)\n\n{alternative}")


def _link(served: Served, label: str) -> str:
    if served.address is not None:
        return f"[{escape_markdown(label)}](<{served.address}>)"
    return f"{escape_markdown(label)}: {escape_markdown(f'{served.kept} ({served.why})')}"
