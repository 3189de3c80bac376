import io
import json
import logging
from dataclasses import replace

import pandas as pd
import pypdf
import pytest

from tests.reporting.plausible import plausible
from xai_assets.evaluation.localization import of_object
from xai_assets.reporting import templating
from xai_assets.reporting.content import KINDS, TITLES
from xai_assets.reporting.pdf import MemoryFetcher, PdfError, to_pdf
from xai_assets.reporting.render import RenderedReport, ReportError, canonical, render
from xai_assets.reporting.results import StudyResults

NOTHING = StudyResults(study={"name": "empty", "title": "A study of nothing"})


def read(report: RenderedReport) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(report.pdf))


def text_of(report: RenderedReport) -> str:
    return " ".join(" ".join(page.extract_text() for page in read(report).pages).split())


def test_the_pdf_has_title_language_pages_and_tags(report: RenderedReport) -> None:
    pdf = read(report)
    assert pdf.metadata is not None
    assert pdf.metadata.title == f"Two small classifiers of a drawn world · {TITLES[report.kind]}"
    root = pdf.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert 2 <= len(pdf.pages) <= 20
    for page in pdf.pages:
        assert [round(float(v)) for v in page.mediabox[2:]] == [595, 842]


def test_weasyprint_had_nothing_to_complain_of(report: RenderedReport) -> None:
    assert report.complaints == ()


def test_report_json_is_attached_and_is_the_data(report: RenderedReport) -> None:
    [attached] = read(report).attachments["report.json"]
    assert attached == report.json == canonical(report.data)
    assert json.loads(attached) == report.data


def test_the_html_stands_alone(report: RenderedReport) -> None:
    assert templating.SCHEME not in report.html
    for marker in ('src="', 'url("'):
        for rest in report.html.split(marker)[1:]:
            assert rest.startswith("data:")
    assert report.html.count("<img") == report.html.count('alt="')
    assert (
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
        in report.html
    )


def test_a_report_stays_small(report: RenderedReport) -> None:
    assert len(report.pdf) < 6_000_000


@pytest.mark.parametrize("report", ["study"], indirect=True)
def test_the_pdf_prints_the_tables_numbers(report: RenderedReport, results: StudyResults) -> None:
    text = text_of(report)
    for row in results.layer_summary.to_dict("records"):
        assert f"{row['truth_presence'] * 100:.0f}%" in text
        assert f"{row['layer']} {row['units']} {row['dead']} {row['detectors']}" in text
    for row in results.predictions.to_dict("records"):
        assert f"{row['predicted_probability'] * 100:.1f}%" in text
    own = of_object(results.localization)
    own = own[own["method"] == "gradcam"]
    mean = own.groupby("image_id")["average_precision"].mean().mean()
    assert f"Grad-CAM {mean:.2f}" in text


@pytest.mark.parametrize("report", ["study"], indirect=True)
def test_the_data_holds_the_tables_numbers_unrounded(report: RenderedReport, results: StudyResults) -> None:
    rows = {row["key"]: row for row in report.data["localization"]["rows"]}
    for method, table in of_object(results.localization).groupby("method"):
        for metric in ("average_precision", "iou", "pointing", "energy"):
            expected = table.groupby("image_id")[metric].mean().mean()
            assert rows[method]["values"][metric]["value"]["mean"] == pytest.approx(expected, abs=1e-12)
    pairs = {(row["method_a"], row["method_b"]): row for row in report.data["agreement"]["pairs"]}
    for key, table in results.mask_agreement.groupby(["method_a", "method_b"]):
        expected = table.groupby("image_id")["iou"].mean().mean()
        assert pairs[key]["iou"]["mean"] == pytest.approx(expected, abs=1e-12)
    layers = [row for model in report.data["dissection"]["models"] for row in model["layers"]]
    assert [row["detectors"] for row in layers] == results.layer_summary["detectors"].tolist()


@pytest.mark.parametrize("report", ["cam"], indirect=True)
def test_quarantined_images_are_listed_with_their_reason(report: RenderedReport) -> None:
    text = text_of(report)
    assert 'holiday "snap".jpg' in text
    assert "the file ends in the middle of the picture" in text


def test_two_builds_are_the_same_bytes() -> None:
    first, second = (render("lime", plausible(1, 0, layers={"layer4": 6})) for _ in range(2))
    assert first.html == second.html
    assert first.json == second.json
    assert first.pdf == second.pdf


@pytest.mark.parametrize("kind", KINDS)
def test_a_study_without_results_says_so(kind: str) -> None:
    report = render(kind, NOTHING)
    assert report.complaints == ()
    sentences = {
        "dissection": "no unit was dissected",
        "cam": "no class activation map was made",
        "lime": "no LIME explanation was made",
        "comparison": "fewer than two models were dissected",
        "failures": "No image has a label that the model has",
        "study": "no results to draw a conclusion from",
    }
    assert sentences[kind] in text_of(report)


def test_hostile_names_are_printed_as_they_are() -> None:
    evil = "<script>alert(1)</script>{{7*7}}<img src=file:///etc/passwd>"
    small = plausible(1, 0, layers={"layer4": 6})
    pixels = small.netdissect.assign(concept=evil, dead=False, detector=True, iou=0.5)
    words = small.clip_dissect.assign(concept=evil, runner_up=evil, dead=False, score=1.0, gap=0.1)
    report = render("dissection", replace(small, netdissect=pixels, clip_dissect=words))
    assert "<script" not in report.html
    assert "<img src=file" not in report.html
    assert "&lt;script&gt;alert(1)" in report.html
    assert "7*7" in text_of(report).replace(" ", "")


def test_infinities_and_missing_values_become_null() -> None:
    small = plausible(1, 0, layers={"layer4": 6})
    scores = small.localization.assign(average_precision=None, energy=float("inf"))
    means = small.metric_summary.assign(mean=None, low=float("inf"))
    report = render("cam", replace(small, localization=scores, metric_summary=means))
    assert b"Infinity" not in report.json
    assert b"NaN" not in report.json
    assert report.data["localization"]["rows"][0]["values"]["average_precision"]["value"] is None


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "http://127.0.0.1/x.png",
        "https://example.org/",
        "data:text/plain,x",
        "memory:other.jpg",
        "ftp://example.org/a",
    ],
)
def test_only_the_reports_own_files_are_fetched(address: str) -> None:
    from weasyprint.urls import FatalURLFetchingError

    fetcher = MemoryFetcher({"a.jpg": b"123"})
    assert fetcher.fetch("memory:a.jpg").read() == b"123"
    with pytest.raises(FatalURLFetchingError):
        fetcher.fetch(address)


@pytest.mark.parametrize(
    "html",
    [
        '<img alt="x" src="file:///etc/passwd">',
        '<link rel="stylesheet" href="http://127.0.0.1:9/style.css">',
        '<style>@import url("file:///etc/passwd");</style>',
        '<p style="background: url(/etc/passwd)">x</p>',
    ],
)
def test_html_that_asks_for_anything_else_is_not_rendered(html: str) -> None:
    with pytest.raises(PdfError, match="may only show what was made for it"):
        to_pdf(f'<!DOCTYPE html><html lang="en"><title>t</title><body>{html}</body></html>', {}, b"{}")


def test_complaints_are_kept_and_the_logger_is_given_back() -> None:
    logger = logging.getLogger("weasyprint")
    before = logger.handlers[:]
    _, complaints = to_pdf(
        '<!DOCTYPE html><html lang="en"><title>t</title><p style="colour: red">x</p>', {}, b"{}"
    )
    assert any("colour" in message for message in complaints)
    assert logger.handlers == before


def test_an_unknown_kind_and_a_wrong_date_are_named() -> None:
    with pytest.raises(ReportError, match="Known reports"):
        render("summary", NOTHING)
    with pytest.raises(ReportError, match="ISO 8601"):
        render("study", replace(NOTHING, study={**NOTHING.study, "created": "yesterday"}))


def test_table_names_are_the_warehouses(results: StudyResults) -> None:
    from xai_assets.resources.tables import TABLES
    from xai_assets.resources.views import VIEWS

    declared = {name: set(found.columns) for name, found in (TABLES | VIEWS).items()}
    assert set(StudyResults.table_names()) <= set(declared)
    for name in StudyResults.table_names():
        frame: pd.DataFrame = getattr(results, name)
        assert set(frame.columns) <= declared[name]
