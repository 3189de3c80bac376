"""Names as people have them: long, in other scripts, hostile. Every page is read back for what runs out of its box."""

import io
import re
import shutil
import subprocess
from dataclasses import replace
from xml.etree import ElementTree

import pandas as pd
import pypdf
import pytest

from tests.reporting.conftest import SMALL
from tests.reporting.plausible import plausible
from xai_assets.reporting.content import KINDS
from xai_assets.reporting.fonts import SCRIPTS, script_faces
from xai_assets.reporting.render import RenderedReport, render

SCRIPT_NAMES = {
    "Plex Arabic": "قطة على العشب",
    "Plex Hebrew": "חתול",
    "Plex Devanagari": "बिल्ली",
    "Plex Han": "白い猫",
    "Plex Hangul": "고양이",
}
LONG = "an extraordinarily long class name " * 5 + "x" * 25
SIDE, EDGE = (millimetres / 25.4 * 72 for millimetres in (19, 12))
"""Points from the paper's edge: left and right of all text, and above and below (running heads are nearer)."""
needs_poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="no pdftotext: apt-get install poppler-utils"
)


def renamed(names: dict[str, str]):
    """The small study, its concepts and classes under other names; those not named keep theirs."""
    small = plausible(2, 1, layers=SMALL)

    def of(table, *columns):
        changed = {
            column: table[column].map(lambda name: names.get(name, name), na_action="ignore")
            for column in columns
            if column in table
        }
        return table.assign(**changed)

    return replace(
        small,
        clip_dissect=of(small.clip_dissect, "concept", "runner_up"),
        netdissect=of(small.netdissect, "concept", "runner_up"),
        predictions=of(small.predictions, "target_name", "predicted_name"),
        maps=of(small.maps, "target_name"),
        localization=of(small.localization, "target_name"),
        mask_agreement=of(small.mask_agreement, "target_name"),
    )


def frequent(count: int) -> list[str]:
    """The names that the small study shows most often: its concepts and its classes."""
    small = plausible(2, 1, layers=SMALL)
    concepts = small.clip_dissect["concept"].value_counts().index.tolist()
    classes = small.predictions["target_name"].unique().tolist()
    return list(dict.fromkeys(name for pair in zip(concepts, classes * 9, strict=False) for name in pair))[
        :count
    ]


def outside(report: RenderedReport, tmp_path) -> list[str]:
    """Words whose box leaves the text's area, page by page, and pictures that are not whole on their page."""
    file = tmp_path / "report.pdf"
    file.write_bytes(report.pdf)
    found = subprocess.run(
        ["pdftotext", "-bbox", str(file), "-"], capture_output=True, text=True, check=True
    ).stdout
    tree = ElementTree.fromstring(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", found))
    name = "{http://www.w3.org/1999/xhtml}"
    words = []
    for number, page in enumerate(tree.iter(f"{name}page"), 1):
        width, height = float(page.get("width")), float(page.get("height"))
        for word in page.iter(f"{name}word"):
            left, top, right, bottom = (float(word.get(side)) for side in ("xMin", "yMin", "xMax", "yMax"))
            if left < SIDE or right > width - SIDE or top < EDGE or bottom > height - EDGE:
                words.append(f"page {number}: {word.text} at {left:.0f} {top:.0f} {right:.0f} {bottom:.0f}")
    return words


def fonts_of(report: RenderedReport) -> set[str]:
    names = set()
    for page in pypdf.PdfReader(io.BytesIO(report.pdf)).pages:
        for font in page["/Resources"].get("/Font", {}).values():
            names.add(font.get_object()["/BaseFont"].split("+")[-1])
    return names


@needs_poppler
def test_nothing_leaves_its_page(report: RenderedReport, tmp_path) -> None:
    assert outside(report, tmp_path) == []


def crowded(copies: int):
    """The small study's images over and over, under other names: the maps are the same, the rows are not."""
    small = plausible(4, 0, layers=SMALL)

    def of(table):
        named = [table.assign(image_id=table["image_id"] + f"-{copy:03d}") for copy in range(copies)]
        return pd.concat(named, ignore_index=True)

    tables = ("images", "predictions", "maps", "mask_agreement", "localization")
    return replace(small, **{name: of(getattr(small, name)) for name in tables})


@needs_poppler
@pytest.mark.parametrize("kind", ["cam", "lime", "study"])
def test_500_images_make_a_readable_report(kind, tmp_path) -> None:
    report = render(kind, crowded(125))
    assert report.complaints == () and outside(report, tmp_path) == []
    assert len(pypdf.PdfReader(io.BytesIO(report.pdf)).pages) <= 60 and len(report.pdf) < 10_000_000
    assert "500" in report.html and "drawn" in report.html  # the rule by which some of them are shown


@needs_poppler
@pytest.mark.parametrize("kind", KINDS)
def test_names_of_200_characters_stay_on_the_page(kind, tmp_path) -> None:
    assert len(LONG) == 200
    report = render(kind, renamed(dict.fromkeys(frequent(4), LONG)))
    assert outside(report, tmp_path) == []
    assert report.complaints == ()


@pytest.mark.parametrize("kind", ["dissection", "study"])
def test_other_scripts_have_their_letters(kind) -> None:
    report = render(kind, renamed(dict(zip(frequent(10), [*SCRIPT_NAMES.values()] * 2, strict=False))))
    assert report.complaints == ()
    used = fonts_of(report)
    for family in SCRIPT_NAMES:
        assert any(name.startswith(family.replace(" ", "-")) for name in used), (family, used)
        assert f'font-family: "{family}' in report.html
    assert len(report.html) < 6_000_000  # the letters that are written, not whole fonts of them
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(report.pdf)).pages)
    assert SCRIPT_NAMES["Plex Han"] in text and SCRIPT_NAMES["Plex Hangul"] in text


def test_a_report_without_such_names_carries_none_of_the_fonts(report: RenderedReport) -> None:
    assert script_faces(report.html) == ()
    for script in SCRIPTS:
        assert script.family not in report.html


def test_a_large_script_comes_in_slices() -> None:
    faces = script_faces("".join(SCRIPT_NAMES.values()))
    assert len({face.family for face in faces}) == len(faces)  # files of one family would be mixed up
    assert {face.family.rstrip(" 0123456789") for face in faces} == set(SCRIPT_NAMES)
    assert len(faces) < 14 and sum(len(face.data) for face in faces) < 800_000
    assert faces == script_faces("".join(SCRIPT_NAMES.values()))
    assert all(face.data[:4] == b"wOF2" for face in faces)
