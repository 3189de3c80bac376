"""The glossary's formulas are drawn, say the same as their line of text, and what is not drawn has glyphs."""

import io
import re

import pytest
from fontTools.ttLib import TTFont
from markupsafe import escape

from xai_assets.reporting.definitions import DEFINITIONS
from xai_assets.reporting.fonts import font_files
from xai_assets.reporting.typeset import FORMULAS, WIDEST, outline, typeset

MATHEMATICS = re.compile(r"[Σ∂∩∪‖√πλⁿ²]|\b\w+\(k\)|\(1 \+ ")
"""What only a formula has, and no sentence."""


@pytest.mark.parametrize("key", DEFINITIONS)
def test_what_is_mathematics_is_drawn(key):
    formula = DEFINITIONS[key].formula
    assert (key in FORMULAS) or not MATHEMATICS.search(formula)
    drawn = typeset(key, formula)
    assert bool(drawn) == (key in FORMULAS)
    if drawn:
        assert formula  # the alt text
        assert f"<title>{escape(formula)}</title>" in drawn


@pytest.mark.parametrize("key", FORMULAS)
def test_a_formula_has_the_letters_of_its_text(key):
    plain = DEFINITIONS[key].formula
    letters = set(re.findall(r"[A-Za-z]{5,}", plain)) - {"where", "inside", "picture", "noise"}
    drawn = " ".join(FORMULAS[key]).replace(r"\;", " ")
    assert {word for word in letters if word not in drawn} == set()


@pytest.mark.parametrize("key", FORMULAS)
def test_a_formula_fits_its_column_and_its_numbers_are_whole(key):
    assert max(outline(line).get_extents().width for line in FORMULAS[key]) <= WIDEST
    path = re.search(r' d="([^"]+)"', typeset(key, DEFINITIONS[key].formula)).group(1)
    assert set(path) <= set("0123456789- Mmlqcz")


def test_a_drawn_formula_is_its_outline():
    outlined = outline(r"$\dfrac{a}{b}$")
    drawn = typeset("jaccard", "x")
    assert (
        outlined.get_extents().height > outline("$a$").get_extents().height * 2
    )  # a fraction, not a line of text
    width, height = (float(found) for found in re.findall(r'="([\d.]+)mm"', drawn))
    extents = outline(FORMULAS["jaccard"][0]).get_extents()
    assert width == pytest.approx(extents.width, abs=0.02) and height == pytest.approx(
        extents.height, abs=0.02
    )
    points = _points(re.search(r' d="([^"]+)"', drawn).group(1))
    assert min(x for x, _ in points) >= -1 and max(x for x, _ in points) <= width * 100 + 1
    assert min(y for _, y in points) >= -1 and max(y for _, y in points) <= height * 100 + 1


def _points(path):
    """The points of a path of relative commands, absolute."""
    found, pen, start = [], (0, 0), (0, 0)
    for letter, numbers in re.findall(r"([Mmlqcz])([^Mmlqcz]*)", path):
        if letter == "z":
            pen = start
            continue
        values = [int(value) for value in re.findall(r"-?\d+", numbers)]
        base = (0, 0) if letter == "M" else pen
        to = [(base[0] + x, base[1] + y) for x, y in zip(values[::2], values[1::2], strict=True)]
        pen = to[-1]
        start = pen if letter in "Mm" else start
        found += to
    return found


def test_every_letter_of_the_glossary_is_in_a_bundled_font():
    known = set()
    for data in font_files().values():
        known |= set(TTFont(io.BytesIO(data)).getBestCmap())
    written = [(key, text) for key, of in DEFINITIONS.items() for text in (of.term, of.text, of.source)]
    written += [(key, of.formula) for key, of in DEFINITIONS.items() if key not in FORMULAS]
    assert {(key, letter) for key, text in written for letter in text if ord(letter) not in known} == set()
