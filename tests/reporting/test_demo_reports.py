"""`xai run demo` leaves six reports whose text holds the headline numbers as they stand in DuckDB."""

import json
import os
import subprocess
import sys

import duckdb
import pytest
from pypdf import PdfReader

from tests.rederived.everything import disagreements
from xai_assets.evaluation.headline import DECISIVE
from xai_assets.reporting import names
from xai_assets.reporting.content import KINDS
from xai_assets.reporting.templating import number, percent
from xai_assets.resources.store import ArtifactStore
from xai_assets.resources.warehouse import Warehouse

pytestmark = pytest.mark.slow

MOST_BYTES, MOST_PAGES = 10_000_000, 60
FOOT = 60  # points; the margin below the text is 22 mm
BELOW, ABOVE = 62.4, 771  # where the text's area ends and begins, in points from the page's foot
MOST_EMPTY = 1 / 3
"""Of the text's area, below the last line: a table's first rows and a figure are not torn from what follows."""

PRECISION = """
    SELECT method, avg(value), count(*) FROM (
        SELECT method, image_id, avg(average_precision) AS value FROM localization
        WHERE study = 'demo' AND truth = 'object' GROUP BY ALL
    ) GROUP BY method
"""
AGREEMENT = """
    SELECT method_a, method_b, avg(value), count(*) FROM (
        SELECT method_a, method_b, image_id, avg(iou) AS value FROM mask_agreement WHERE study = 'demo' GROUP BY ALL
    ) GROUP BY ALL
"""
LAYERS = "SELECT layer, units, dead, detectors, truth_presence, chance_presence FROM layer_summary WHERE study = 'demo'"
FAITHFULNESS = """
    SELECT method, mean, low, high, n FROM metric_summary
    WHERE study = 'demo' AND metric = 'srg' AND variant = 'blur' AND NOT is_control
"""
SETS = "SELECT only_a, unique_a, only_b, unique_b FROM models_compared WHERE study = 'demo' AND layer IS NOT NULL"
COST = "SELECT method, count(*), avg(seconds), max(peak_memory_mib) FROM maps WHERE study = 'demo' GROUP BY method"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The data folder of one run of the demo."""
    folder = tmp_path_factory.mktemp("demo")
    environment = os.environ | {"XAI_DATA": str(folder), "XAI_DEVICE": "cpu", "DAGSTER_HOME": ""}
    command = [sys.executable, "-m", "xai_assets", "run", "demo"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.fixture(scope="module")
def query(data):
    with duckdb.connect(str(data / "warehouse.duckdb"), read_only=True) as connection:
        yield lambda sql: connection.execute(sql).fetchall()


def test_every_number_is_what_scipy_makes_of_the_raw_tables(data):
    tables = Warehouse(data / "warehouse.duckdb").read("demo")
    found = disagreements(tables, ArtifactStore(data / "artifacts").get)
    assert found.wrong == []
    assert found.held > 10_000


@pytest.fixture(scope="module")
def texts(data):
    """The text of each report, words apart by one space."""
    found = {}
    for kind in KINDS:
        pages = PdfReader(data / "reports" / "demo" / f"{kind}.pdf").pages
        found[kind] = " ".join(" ".join(page.extract_text() for page in pages).split())
    return found


def title(key):
    return names.method(key).title


def test_there_are_six_none_of_them_large_or_long(data):
    found = {path.stem: path for path in (data / "reports" / "demo").glob("*.pdf")}
    assert set(found) == set(KINDS) and len(found) == 6
    for path in found.values():
        assert path.stat().st_size < MOST_BYTES
        assert len(PdfReader(path).pages) <= MOST_PAGES
        [attached] = PdfReader(path).attachments["report.json"]
        assert json.loads(attached) == json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", KINDS)
def test_no_page_but_the_last_is_left_more_than_a_third_empty(data, kind):
    pages = PdfReader(data / "reports" / "demo" / f"{kind}.pdf").pages
    empty = [(min(_heights(page)) - BELOW) / (ABOVE - BELOW) for page in pages[:-1]]
    assert {at: share for at, share in enumerate(empty, 1) if share > MOST_EMPTY} == {}


def _heights(page):
    """Where the page's text stands, in points from its foot; without the page's own foot."""
    found = []

    def see(text, cm, tm, *_):
        height = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        if text.strip() and height > FOOT:
            found.append(height)

    page.extract_text(visitor_text=see)
    return found


@pytest.mark.parametrize("kind", ["dissection", "study"])
def test_the_layers_stand_there(query, texts, kind):
    rows = query(LAYERS)
    assert len(rows) == 6
    for layer, units, dead, detectors, presence, chance in rows:
        assert f"{layer} {units} {dead} {detectors} " in texts[kind]
        assert percent(presence) in texts[kind] and percent(chance) in texts[kind]


@pytest.mark.parametrize(
    ("kind", "methods"),
    [
        ("cam", ["gradcam", "ablationcam", "scorecam"]),
        ("lime", ["lime"]),
        ("study", ["gradcam", "ablationcam", "scorecam", "lime"]),
    ],
)
def test_methods_and_controls_have_their_average_precision(query, texts, kind, methods):
    rows = {method: (mean, n) for method, mean, n in query(PRECISION)}
    for method in methods:
        mean, n = rows[method]
        assert n == 12
        assert f"{title(method)} {number(mean)} " in texts[kind]
    for control in DECISIVE:
        assert f"{title(control)} (control) {number(rows[control][0])} " in texts[kind]


@pytest.mark.parametrize("kind", ["comparison", "study"])
def test_pairs_of_methods_have_their_agreement_and_models_their_concepts(query, texts, kind):
    place = list(names.METHODS).index
    for a, b, mean, _ in query(AGREEMENT):
        first, second = sorted((a, b), key=place)
        assert f"{title(first)} / {title(second)} {number(mean)} " in texts[kind]
    sets = query(f"{SETS} AND method = 'netdissect'")
    assert len(sets) == 3
    for only_a, unique_a, only_b, unique_b in sets:
        assert f"{only_a} of {unique_a} " in texts[kind] and f"{only_b} of {unique_b} " in texts[kind]


def test_the_study_says_how_faithful_its_methods_are(query, texts):
    rows = query(FAITHFULNESS)
    assert len(rows) == 4
    for method, mean, low, high, n in rows:
        headline = f"{title(method)} {number(mean)} {number(low)} to {number(high)} {n} {number(0)} "
        assert headline in texts["study"]


def test_cost_is_that_of_the_maps(query, texts):
    for method, maps, seconds, memory in query(COST):
        layer = "–" if method == "lime" else "layer4"
        assert memory > 0
        expected = f"{title(method)} {layer} {maps} {number(seconds, 3)} {number(1 / seconds, 1)} "
        for kind in ("study", "lime" if method == "lime" else "cam"):
            assert expected in texts[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_every_report_says_that_the_pictures_are_drawn(data, kind):
    first = PdfReader(data / "reports" / "demo" / f"{kind}.pdf").pages[0].extract_text()
    assert "synthetic: drawn by the embedded world Diorama" in " ".join(first.split())
