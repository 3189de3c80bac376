"""The report on the published libraries: rows as they stand, and the command where there are none."""

import pandas as pd

from xai_assets.reporting.numbers import records
from xai_assets.reporting.results import StudyResults
from xai_assets.reporting.templating import environment
from xai_assets.reporting.verification import verification
from xai_assets.resources.tables import TABLES

ROW = {
    "library": "grad-cam 1.5", "maps": 3, "not_compared": 0, "made": 12, "largest_difference": 4.8e-7,
    "image_id": "a_b.png", "target_name": "dog", "tolerance": 1e-4, "tolerance_reason": "float32", "verdict": "within",
    "note": None,
}  # fmt: skip
NOT = {"verdict": "not_compared", "maps": 0, "not_compared": 3, "note": "the study asks for <bf16>"}
NOT |= dict.fromkeys(["largest_difference", "image_id", "target_name"])
ROWS = pd.DataFrame(
    [
        ROW | {"method": "gradcam"},
        ROW | {"method": "scorecam", "verdict": "beyond", "largest_difference": 0.25},
        ROW | NOT | {"method": "lime"},
    ],
    columns=list(TABLES["verification_summary"].columns),
)
NAMES = {"name": "mine", "title": "Mine"}


def shown(results):
    template = (
        '{% from "chapters/verification.html" import verification with context %}{{ verification(chapter) }}'
    )
    return (
        environment()
        .from_string(template)
        .render(chapter=verification(results), report={"study": results.study})
    )


def test_what_is_shown_are_the_rows():
    results = StudyResults(study=NAMES, verification_summary=ROWS)
    rows = verification(results)["rows"]
    assert [row["method"] for row in rows] == ["gradcam", "scorecam", "lime"]
    assert rows == records(ROWS)
    text = shown(results)
    assert text.count("<tr>") == 4
    for said in (
        "4.8e−07",
        "0.0001",
        "3 of 12",
        "the library’s",
        "another map",
        "a_<wbr>b<wbr>.png</span> (dog)",
        "0.25",
    ):
        assert said in text, said
    assert "cannot be told" in text and "LIME: the study asks for &lt;bf16&gt;." in text
    assert "xai verify" not in text


def test_where_nothing_was_compared_the_command_is_named():
    maps = pd.DataFrame({"method": ["gradcam"]})
    text = shown(StudyResults(study=NAMES, maps=maps))
    assert "<code>xai verify mine</code>" in text and "<code>verify: {}</code>" in text
    assert "<table" not in text


def test_a_study_without_maps_says_nothing_of_it():
    assert not shown(StudyResults(study=NAMES)).strip()


def test_it_stands_in_the_provenance_of_the_study_report_alone(report, results):
    there = "Against the published libraries" in report.html
    assert there == (report.data["kind"] == "study")
    if there:
        assert report.html.index('id="provenance"') < report.html.index("Against the published libraries")
        assert report.data["verification"]["rows"] == records(results.verification_summary)
