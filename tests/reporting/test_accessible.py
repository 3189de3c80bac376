"""What PDF/UA-1 asks for and a reader without eyes needs; and bytes that depend on nothing but the results."""

import hashlib
import io
import os
import re
import subprocess
import sys
from itertools import pairwise

import pypdf
import pytest
from pypdf.generic import DictionaryObject

from xai_assets.reporting.render import RenderedReport


def elements(report: RenderedReport, kind: str) -> list[DictionaryObject]:
    """The elements of the PDF's structure tree that are of a kind, such as /Figure."""
    root = pypdf.PdfReader(io.BytesIO(report.pdf)).trailer["/Root"]["/StructTreeRoot"]
    found, left = [], [root]
    while left:
        element = left.pop().get_object()
        if not isinstance(element, DictionaryObject):
            continue
        if element.get("/S") == kind:
            found.append(element)
        children = element.get("/K", [])
        left += children if isinstance(children, list) else [children]
    return found


def test_the_pdf_says_that_it_is_pdf_ua_1(report):
    catalogue = pypdf.PdfReader(io.BytesIO(report.pdf)).trailer["/Root"]
    assert re.search(rb'pdfuaid:part(="1"|>1<)', catalogue["/Metadata"].get_object().get_data())
    assert catalogue["/ViewerPreferences"]["/DisplayDocTitle"]


def test_every_picture_and_chart_has_an_alternative_text(report):
    figures = elements(report, "/Figure")
    assert len(figures) >= 3
    assert all(str(figure.get("/Alt", "")).strip() for figure in figures)


@pytest.mark.parametrize("report", ["cam"], indirect=True)
def test_a_maps_alternative_text_has_its_numbers(report):
    said = [str(figure["/Alt"]) for figure in elements(report, "/Figure")]
    for image in report.data["gallery"]["images"]:
        for target in image["targets"]:
            for shown in target["maps"]:
                covers = f"the mask covers {shown['density']:.0%} of the frame, IoU with the truth {shown['iou']:.2f}."
                assert any(covers in text for text in said)


def test_tables_have_heads_and_headings_go_down_one_by_one(report):
    assert len(elements(report, "/TH")) > len(elements(report, "/Table")) > 0
    levels = [int(level) for level in re.findall(r"<h([1-4])", report.html)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


MAKE = """
import hashlib
from tests.reporting.plausible import plausible
from xai_assets.reporting.render import render

made = render("study", plausible(1, 1, layers={"layer4": 12}))
for part in (made.html.encode(), made.json, made.pdf):
    print(hashlib.sha256(part).hexdigest())
"""


@pytest.mark.slow
def test_another_process_at_another_time_makes_the_same_bytes():
    def made(hash_seed: str, epoch: str) -> list[str]:
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "SOURCE_DATE_EPOCH": epoch}
        ran = subprocess.run(
            [sys.executable, "-c", MAKE], env=environment, capture_output=True, text=True, check=True
        )
        assert ran.stderr == ""  # nothing is logged either
        return ran.stdout.split()

    first = made("1", "1000000000")
    assert first == made("2", "1700000000")
    assert len(first) == 3 and first[0] != hashlib.sha256(b"").hexdigest()
