"""The reports' pages as they are laid out: filled, with room between columns, and in the bundled fonts alone."""

import io
from dataclasses import replace

import pandas as pd
import pypdf
import pytest
from weasyprint.formatting_structure import boxes as shapes

from tests.reporting import boxes
from tests.reporting.conftest import laid_out
from tests.reporting.plausible import plausible
from xai_assets.reporting.content import KINDS

MOST_EMPTY = 1 / 3
"""Of a page's text area, below its last line: what comes next is a row of pictures, a figure, or two rows of a table."""

LEAST_GAP = 1.5
"""mm between the contents of two columns: more than between two words."""

FAMILIES = ("Plex-Sans", "Plex-Serif", "Plex-Mono", "Report-Symbols")
UNITS = (
    "clip_dissect",
    "netdissect",
    "layer_summary",
    "presence_summary",
    "units_beyond_chance",
    "probe_health",
)


def test_no_page_but_the_last_is_left_more_than_a_third_empty(document):
    assert _emptier(document, MOST_EMPTY) == {}


def test_columns_do_not_touch(document):
    assert [found for page in document.pages for found in boxes.gaps(page) if found[0] < LEAST_GAP] == []


def test_nothing_reaches_into_the_margin(document):
    assert [found for page in document.pages for found in boxes.beyond(page)] == []


def test_no_heading_stands_at_the_foot_of_a_page(document):
    for page in document.pages:
        *_, last = boxes.leaves(boxes.body(page))
        assert not [
            of for of in boxes.tagged(boxes.body(page), "h2", "h3", "h4") if last in [*boxes.leaves(of)]
        ]


def test_a_table_has_two_rows_on_either_side_of_a_break(document):
    rows = {}
    for page in document.pages:
        for table in boxes.within(boxes.body(page), shapes.TableBox):
            own = [group for group in table.children if not group.is_header]
            rows.setdefault(id(table.element), []).append(sum(len(group.children) for group in own))
    torn = [counts for counts in rows.values() if len(counts) > 1]
    assert [counts for counts in torn if min(counts) < 2] == []


def test_the_head_names_the_chapter_that_the_page_begins_with(document):
    chapter = ""
    for number, page in enumerate(document.pages):
        first = next(boxes.leaves(boxes.body(page)))
        headings = [of for of in boxes.tagged(boxes.body(page), "h2") if of.element.get("id")]
        if headings and first in [*boxes.leaves(headings[0])]:
            chapter = boxes.said(headings[0])
        if number:
            assert boxes.margin(page, "@top-right") == chapter
        if headings:
            chapter = boxes.said(headings[-1])
    assert chapter == "Provenance"


def test_the_verdict_is_on_the_first_page(document):
    on = [at for at, page in enumerate(document.pages) if boxes.of_class(boxes.body(page), "summary")]
    assert on == [0]


def test_the_pdf_has_the_bundled_fonts_alone(report):
    used = set()
    for page in pypdf.PdfReader(io.BytesIO(report.pdf)).pages:
        for font in page["/Resources"].get("/Font", {}).values():
            used.add(str(font.get_object()["/BaseFont"]).split("+")[-1])
    assert used and {name for name in used if not name.startswith(FAMILIES)} == set()


@pytest.fixture(scope="module")
def bare():
    """One image, one method, no truth, nothing dissected: the least that a study of photographs has."""
    full = plausible(1, 0, layers={"layer4": 6})
    of = {name: getattr(full, name) for name in full.table_names()}
    alone = {name: table[table["method"] == "gradcam"] for name, table in of.items() if "method" in table}
    nothing = dict.fromkeys(
        [*UNITS, "localization", "mask_agreement", "headline", "metric_summary", "metric_tests"]
    )
    return replace(full, **alone | dict.fromkeys(nothing, pd.DataFrame()))


@pytest.mark.parametrize("kind", KINDS)
def test_the_report_of_the_smallest_study_is_laid_out_as_well(kind, bare):
    document, report = laid_out(kind, bare)
    assert report.complaints == ()
    for page in document.pages:
        assert (
            boxes.beyond(page) == [] and [found for found in boxes.gaps(page) if found[0] < LEAST_GAP] == []
        )
    assert _emptier(document, MOST_EMPTY) == {}


def _emptier(document, most):
    """The pages but the last, from 1, with the share that is empty; the first page may end where its summary does."""
    shares = {at: boxes.empty(page) for at, page in enumerate(document.pages[:-1], 1)}
    return {at: round(share, 2) for at, share in shares.items() if share > (1 / 2 if at == 1 else most)}
