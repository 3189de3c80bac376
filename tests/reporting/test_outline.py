"""A report has the chapters that its study has something for, defines what they use, and names what it lacks."""

from dataclasses import replace

import pandas as pd
import pytest

from tests.reporting.conftest import SMALL
from tests.reporting.plausible import plausible
from xai_assets.reporting.content import KINDS, build
from xai_assets.reporting.definitions import DEFINITIONS
from xai_assets.reporting.outline import OUTLINES, absent, chapters
from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.results import StudyResults
from xai_assets.settings import shipped

UNITS = (
    "clip_dissect",
    "netdissect",
    "layer_summary",
    "presence_summary",
    "units_beyond_chance",
    "probe_health",
)
TRUTH = ("localization", "metric_summary", "metric_tests")


def without(results, *tables):
    return replace(results, **dict.fromkeys(tables, pd.DataFrame()))


def built(kind, results):
    return build(kind, results, Pictures())


@pytest.fixture(scope="module")
def small():
    return plausible(2, 1, layers=SMALL)


def test_every_chapter_has_a_template_and_every_kind_an_outline():
    templates = {path.stem for path in (shipped("reports_templates") / "chapters").glob("*.html")}
    assert set(OUTLINES) == set(KINDS)
    for outline in OUTLINES.values():
        assert {chapter.template or chapter.id for chapter in outline} <= templates
        assert len({chapter.id for chapter in outline}) == len(outline)


def test_photographs_without_units_and_masks_have_neither_such_chapters_nor_such_terms(small):
    bare = built("study", without(small, *UNITS, *TRUTH))
    assert [part["id"] for part in bare["chapters"]] == [
        "predictions", "gallery", "agreement", "cost", "exclusions"
    ]  # fmt: skip
    assert "no unit was dissected" in bare["absent"] and "no true mask is known" in bare["absent"]
    assert bare["absent"].count(".") == 1
    terms = {row["term"] for row in bare["definitions"]}
    assert {"Grad-CAM", "LIME", "Mask", "IoU"} <= terms
    assert not terms & {
        "NetDissect",
        "CLIP-Dissect",
        "Dead unit",
        "Pointing game",
        "Controls",
        "Jaccard index",
    }
    full = {row["term"] for row in built("study", small)["definitions"]}
    assert {"NetDissect", "Pointing game", "Controls", "Jaccard index"} <= full


def test_a_model_each_has_a_chapter_of_its_own_and_the_last_has_the_probe_set(small):
    found = built("dissection", small)["chapters"]
    assert [(part["id"], part["title"], part["at"], part["last"]) for part in found] == [
        ("units-1", "diorama/object", 0, False),
        ("units-2", "diorama/scene", 1, True),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_gives_no_chapter_and_one_sentence(kind):
    content = built(kind, StudyResults(study={"name": "x", "title": "X"}))
    assert content["chapters"] == chapters(kind, content) == []
    assert content["absent"] == absent(kind, content) and content["absent"].startswith("Not in this report: ")
    assert content["definitions"] == [] and content["cover"] == {"shown": [], "caption": ""}


@pytest.mark.parametrize("kind", KINDS)
def test_every_term_that_is_defined_is_a_method_a_metric_or_a_word_of_the_report(kind, small):
    defined = [row["term"] for row in built(kind, small)["definitions"]]
    assert len(set(defined)) == len(defined) and set(defined) <= {of.term for of in DEFINITIONS.values()}
    if kind in ("cam", "lime", "dissection"):
        other = {
            "cam": {"LIME", "NetDissect"},
            "lime": {"Grad-CAM", "NetDissect"},
            "dissection": {"LIME", "Mask"},
        }
        assert not set(defined) & other[kind]
