"""Text of strangers shows as text: on a terminal, in a table, and wherever Markdown is rendered."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from xai_assets.text import JOINER, escape_markdown, printable, unescape_markdown

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# The three expressions by which the UI's renderer (mdast-util-gfm-autolink-literal) finds links in finished text.
AUTOLINKS = re.compile(r"(https?://|www(?=\.))[-.\w]+|[-.\w+]+@[-\w]+(\.[-\w]+)+", re.IGNORECASE)

MARKUP = (
    "[a]( ![ ]( ) <b> <http://x.y> </td> &#47; &lt; | \\ ` ``` ~~~ ~~ * _ # - + 1. 2) > --- === :-- |-- $x$ [^1] [1]: "
    "http://evil.example/f HTTPS://a.b www.evil.example WWW.a.b a@b.c mailto:a@b.c ftp://a.b é 日本"
)
CHARACTERS = " \t\n\r\x00\x1b\x9b\u202e\u2028\udcff\ufdd0"
SPECIAL = st.sampled_from([*MARKUP.split(), *CHARACTERS, "# ", "- ", "1. ", "> ", "    ", "\n\n"])
HOSTILE = st.lists(SPECIAL | st.text(alphabet=st.characters(), max_size=6), max_size=8).map("".join)


@given(text=HOSTILE)
def test_a_paragraph_of_escaped_text_is_the_text_and_nothing_else(text):
    tokens = RENDERER.parse(escape_markdown(text))
    wanted = printable(text).strip()
    assert [token.type for token in tokens] == (
        ["paragraph_open", "inline", "paragraph_close"] if wanted else []
    )
    assert _shown(tokens) == wanted


@given(text=HOSTILE)
def test_below_a_line_of_ours_it_still_is_text(text):
    tokens = RENDERER.parse("Ours\n" + escape_markdown(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert _shown(tokens) == ("Ours\n" + printable(text).strip()).strip()


@given(left=HOSTILE, right=HOSTILE)
def test_two_cells_of_a_table_stay_two_cells(left, right):
    tokens = RENDERER.parse(f"| a | b |\n|---|---|\n| {escape_markdown(left)} | {escape_markdown(right)} |")
    cells = [token for token in tokens if token.type == "inline"]
    assert [_shown([cell]) for cell in cells] == ["a", "b", printable(left).strip(), printable(right).strip()]
    assert not {token.type for token in tokens} & {"html_block", "heading_open", "bullet_list_open", "fence"}


@given(text=HOSTILE)
def test_no_autolink_is_found_in_what_is_shown(text):
    shown = "".join(
        child.content for token in RENDERER.parse(escape_markdown(text)) for child in token.children or []
    )
    assert not AUTOLINKS.search(shown)


@given(text=HOSTILE)
def test_unescaped_it_is_the_text_again(text):
    assert unescape_markdown(escape_markdown(text)) == printable(text).strip()


@given(text=HOSTILE)
def test_printable_text_moves_nothing_and_fits_utf8(text):
    shown = printable(text)
    shown.encode("utf-8")
    assert not re.search(
        r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\u200e\u200f\ufeff]", shown
    )
    assert printable(shown) == shown
    assert "\n" not in shown
    assert printable(text, lines=True).count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("dog.png", "dog.png"),
        ("Überraschung 日本 🦊", "Überraschung 日本 🦊"),
        ("\x1b]0;x\x07", "\\x1b]0;x\\x07"),
        ("a\x9bb", "a\\x9bb"),
        ("a\u202egnp.exe", "a\\u202egnp.exe"),
        ("bad\udcff.png", "bad\\udcff.png"),
        ("a\nb", "a\\nb"),
        ("\U000e0041", "\\U000e0041"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_printable(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize(
    "name",
    ["dog.png", "a_b-c.jpg", "great white shark, 2", "layer4.1 (0.52 ± 0.1), 95 %", "R&D & Co. #1: > 3!"],
)
def test_a_harmless_name_stays_readable(name):
    assert escape_markdown(name) == name


def _shown(tokens):
    """The text that a reader sees, if all that there is, is text."""
    parts = []
    for token in tokens:
        for child in token.children or []:
            assert child.type in {"text", "softbreak", "text_special"}, child.type
            parts.append("\n" if child.type == "softbreak" else child.content)
    return "".join(parts).replace(JOINER, "")
