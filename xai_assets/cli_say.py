"""What the command prints: foreign text (names, titles, messages) moves no cursor and fakes no line."""

import json
import re
from typing import Any

import click

from xai_assets.text import printable

_HIDDEN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def say(line: object = "", *, err: bool = False) -> None:
    """Print one line, to stdout or stderr; whatever in it is no visible character is shown as an escape."""
    click.echo(printable(str(line)), err=err)


def say_lines(text: str, *, err: bool = False) -> None:
    """Print a text of several lines, such as a YAML block, that ends with a line feed or none."""
    click.echo(printable(text.removesuffix("\n"), lines=True), err=err)


def say_json(value: Any) -> None:
    r"""Print `value` as JSON on stdout: what a terminal would act on is written as `\u009b`, which reads the same.

    Raises:
        ValueError: for NaN and infinities, which JSON does not have.
    """
    click.echo(json_text(value))


def json_text(value: Any) -> str:
    """The text that `say_json` prints."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
