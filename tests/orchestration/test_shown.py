"""What steps show in the UI: Markdown is made in one place, and foreign text in it is text."""

import ast

import pandas as pd
import pytest
from hypothesis import given
from markdown_it import MarkdownIt

from tests.conftest import CHECKOUT
from tests.test_text import HOSTILE
from xai_assets.checks.check import Check, Verdict
from xai_assets.text import JOINER, printable, unescape_markdown
from xai_assets.web.publish import Served
from xai_assets.web.shown import SHOWN_IN_PLACE, image, links, table_of

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
MAKERS = {"MarkdownMetadataValue", "AssetCheckResult", "AssetCheckEvaluation", "UrlMetadataValue"}
ALLOWED = {
    "xai_assets/web/shown.py": {"md"},
    "xai_assets/checks/check.py": {"AssetCheckResult"},
}


def test_markdown_is_made_in_one_place_only():
    found = {}
    for path in sorted((CHECKOUT / "xai_assets").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            owner = ast.unparse(node.func)
            if name in MAKERS or (name in {"md", "url"} and "MetadataValue" in owner) or name == "Markdown":
                found.setdefault(path.relative_to(CHECKOUT).as_posix(), set()).add(name)
    found["xai_assets/web/shown.py"].discard("Markdown")
    assert found == ALLOWED


def inline(markdown):
    """The types of what is inside of the rendered lines, and the text that is read."""
    children = [child for token in RENDERER.parse(markdown) for child in token.children or []]
    return [child.type for child in children], [
        "".join(child.content for child in token.children or [])
        for token in RENDERER.parse(markdown)
        if token.type == "inline"
    ]


@given(name=HOSTILE, other=HOSTILE)
def test_a_preview_is_cells_of_text(name, other):
    rows = pd.DataFrame([{"image_id": name, "target_name": other, "probability": 0.123456}], dtype=object)
    types, cells = inline(table_of(rows))
    assert set(types) <= {"text", "text_special"}
    assert len(cells) == 6 and cells[5] == "0.1235"
    shown = printable(name)
    assert cells[3].replace(JOINER, "") == (shown if len(shown) <= 48 else shown[:47] + "…").strip()


def test_a_preview_fits_what_the_ui_shows_at_once():
    rows = pd.DataFrame({f"column_{n}": [f"value {n} of a row"] * 12 for n in range(8)})
    assert 3 < table_of(rows).count("\n") < 12
    assert len(table_of(rows)) <= SHOWN_IN_PLACE
    assert table_of(rows.head(1).map(lambda text: text * 99)).count("\n") == 2


@given(said=HOSTILE)
def test_what_a_check_says_is_text_and_reports_get_it_as_it_was(said):
    result = Check("c", "d", lambda *_: Verdict(True, said)).result()
    types, _ = inline(result.description)
    assert set(types) <= {"text", "text_special"}
    assert unescape_markdown(result.description) == printable(said).strip()


@given(said=HOSTILE, label=HOSTILE)
def test_only_our_own_addresses_are_links_and_images(said, label):
    served = Served("/logs/pictures/demo/gradcam_masks/png", "x")
    for made in (image(served, said, label), links([(served, label)])):
        tokens = [child for token in RENDERER.parse(made) for child in token.children or []]
        addresses = {child.attrs.get("src") or child.attrs.get("href") for child in tokens if child.attrs}
        assert addresses == {served.address}
        assert {child.type for child in tokens} <= {
            "image", "link_open", "link_close", "text", "text_special", "softbreak",
        }  # fmt: skip
    assert inline(links([(Served(None, said, label), label)]))[0].count("link_open") == 0


@pytest.mark.parametrize(
    "name", ["![](http:&#47;&#47;evil.example&#47;f).png", "[free](http://evil.example)"]
)
def test_the_names_that_called_another_host(name):
    table = table_of(pd.DataFrame([{"image_id": name}]))
    assert "](" not in table and "http://" not in table
