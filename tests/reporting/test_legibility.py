"""Text is dark enough for what it stands on, and a chart's series are told apart without their colour."""

import re
from itertools import product

import pytest

from xai_assets.reporting import charts, curves, drawing, names
from xai_assets.settings import shipped

LEAST = 4.5  # WCAG 2.2, AA, for text of any size
SHEET = re.sub(  # without Jinja's parts, and without what is for the screen only
    r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|@media screen \{\n.*?\n\}",
    "",
    (shipped("reports_templates") / "style.css").read_text(encoding="utf-8"),
    flags=re.DOTALL,
)
RULES = re.findall(r"([^{}]+)\{([^{}]*)\}", SHEET)
BEHIND = ".draft"  # the word across the page, which stands behind the text and is in the text as well


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def declared(name):
    """The colours that the sheet gives by a property, by selector; short ones written out."""
    found = {}
    for selector, body in [*RULES, ("page", SHEET[SHEET.index("@page") : SHEET.index("html {")])]:
        for colour in re.findall(rf"(?<![\w-]){name}:\s*(#[0-9a-f]{{3,6}})\b", body):
            long = colour if len(colour) == 7 else "#" + "".join(c * 2 for c in colour[1:])
            found[selector.strip(), long] = long
    return found


TEXTS = {colour for (selector, colour) in declared("color") if selector != BEHIND and colour != "#ffffff"}
GROUNDS = {colour for _, colour in declared("background")}


def test_the_sheet_was_read():
    assert {"#1b2430", "#5b6675", "#a13d00"} <= TEXTS
    assert {"#ffffff", "#f1f5f6"} <= GROUNDS
    assert ratio("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize(("text", "ground"), sorted(product(TEXTS, GROUNDS)))
def test_text_has_enough_contrast_on_every_ground(text, ground):
    assert ratio(text, ground) >= LEAST


def test_what_stands_before_the_word_draft_can_be_read():
    (ground,) = {colour for (selector, colour) in declared("color") if selector == BEHIND}
    assert min(ratio(text, ground) for text in TEXTS) >= LEAST


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_numbers_of_a_matrix_stand_in_ink_on_any_shade(value):
    assert ratio(drawing.INK, drawing.shade(value)) >= LEAST


@pytest.mark.parametrize(
    "ground",
    [*(style.colour for style in names.CATEGORIES.values()), charts.LEFT, charts.BOTH, charts.RIGHT],
)
def test_labels_within_bars_have_enough_contrast(ground):
    assert ratio(drawing.readable(ground), ground) >= LEAST


@pytest.mark.parametrize("text", [drawing.INK, drawing.MUTED, charts.LEFT, charts.RIGHT])
def test_labels_of_charts_have_enough_contrast(text):
    assert ratio(text, drawing.PAPER) >= LEAST


def test_every_method_has_a_mark_of_its_own_and_controls_another():
    marks = [drawing.marker(style.shape, 0, 0, "#000000") for style in names.METHODS.values()]
    assert len(set(marks)) == len(names.METHODS)
    assert not set(marks) & {drawing.marker(s.shape, 0, 0, "#000000") for s in names.CONTROLS.values()}


def test_a_figure_of_curves_is_legible_in_black_and_white():
    keys = ["gradcam", "ablationcam", "scorecam", "lime", "edges", "random"]
    lines = [
        {"key": key, "is_control": key in names.CONTROLS, "order": order, "points": [[0, 1], [1, 0]]}
        for key in keys
        for order in ("morf", "lerf")
    ]
    drawn = curves.curves([{"baseline": "blur", "lines": lines}], title="x")
    assert drawn.count("stroke-dasharray") == len(keys) + 1  # least relevant first, and the legend's
    assert len({drawing.marker(curves._shape(key), 0, 0, "#000000") for key in keys}) == len(keys)


def test_a_reading_has_a_shape_of_its_own():
    assert len(set(charts.SIGNS.values())) == len(charts.SIGNS)


def test_parts_of_a_bar_with_room_are_named():
    parts = [{"category": "object", "count": 9}, {"category": "material", "count": 1}]
    drawn = charts.shares([{"label": "layer4", "total": 10, "parts": parts}], title="x")
    assert ">object 9<" in drawn and ">1<" in drawn
