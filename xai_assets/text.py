"""Text from outside (file names, class names, titles, error messages) made safe to show. Imports nothing of ours.

`printable` is for terminals, tables and reports, `escape_markdown` for whatever renders Markdown, as Dagster's UI does.
"""

import re
import unicodedata

JOINER = "\u2060"
"""WORD JOINER, an invisible character without width, which keeps a parser from taking an address for a link."""

_KEPT = "\u200c\u200d"  # zero-width (non-)joiner: Persian, Indic scripts and emoji are spelt with them
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # controls, formats (bidi overrides), surrogates, line separators
# What begins or ends a construct inside a line, by CommonMark and GitHub's extensions: an underscore inside a word, a
# bracket that does not follow a link's text and an ampersand that begins no entity do not, and are left readable.
_INLINE = re.compile(r"[\\`*\[\]<~|]|(?<=\])\(|(?<![^\W_])_|_(?![^\W_])|&(?=[#\w]+;)")
# What makes a line a heading, a list, a quotation, a rule, the line below a heading or below a table's head.
_BLOCK = re.compile(r"^(\d*)([#+\-=:>.)])")
# GitHub's autolinks are looked for in the text that is left when all escapes are undone, so an escape stops none.
_ADDRESS = re.compile(r"(?:https?|ftp|mailto|xmpp):|www(?=\.)|@", re.IGNORECASE)


def printable(text: str, *, lines: bool = False) -> str:
    r"""The text with every character that cannot be seen, or that moves others, written as an escape such as `\x1b`.

    That are control characters (C0, DEL, C1), bidirectional and other format characters, line separators, lone
    surrogates and non-characters. The result can be encoded in UTF-8, and moves neither the cursor nor other letters.

    Args:
        text: any text; a file name that is no UTF-8 has lone surrogates.
        lines: keep line feeds.
    """
    return "".join(
        character if _visible(character) or (lines and character == "\n") else _escape(character)
        for character in text
    )


def escape_markdown(text: str) -> str:
    """One line of Markdown that renders as `printable(text)`: no link, image, HTML, list, heading or table cell.

    It holds at the start of a line, inside a sentence and inside a cell of a table. Addresses get a `JOINER`, without
    which `http://host`, `www.host` and `a@b.c` become links even where every sign is escaped.
    """
    escaped = _INLINE.sub(r"\\\g<0>", printable(text).strip())
    escaped = _BLOCK.sub(r"\1\\\2", escaped)
    return _ADDRESS.sub(rf"\g<0>{JOINER}", escaped)


def unescape_markdown(escaped: str) -> str:
    """What `escape_markdown` was given, as `printable` writes it."""
    return re.sub(r"\\(.)", r"\1", escaped.replace(JOINER, ""))


def _visible(character: str) -> bool:
    code = ord(character)
    if character in _KEPT:
        return True
    if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:  # non-characters, which XML forbids
        return False
    return unicodedata.category(character) not in _INVISIBLE


def _escape(character: str) -> str:
    code = ord(character)
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
