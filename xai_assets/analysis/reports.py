"""A study's reports: read from the warehouse and the artifacts, written as PDF, HTML and JSON."""

import platform
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from xai_assets.analysis.unit_pictures import unit_pictures
from xai_assets.analysis.workbench import Workbench
from xai_assets.files import write_bytes, write_text
from xai_assets.reporting.render import render
from xai_assets.reporting.results import StudyResults

VERSIONS = (
    "xai-assets",
    "torch",
    "torchvision",
    "open-clip-torch",
    "grad-cam",
    "lime",
    "scikit-image",
    "dagster",
)
CHAPTERS = {
    "dissection": ("dissection",),
    "comparison": (),
    "cam": ("attribution",),
    "lime": ("attribution",),
    "study": (),
}
"""The chapters of a study that a report cannot do without."""

WITH_CARDS = ("dissection", "study")
"""The reports that show units with the pictures that drive them."""


@dataclass(frozen=True)
class Report:
    """A report as it stands on disk.

    Attributes:
        kind: dissection, cam, lime, comparison or study.
        pdf, html, data: the three files.
        numbers: what `data` holds.
    """

    kind: str
    pdf: Path
    html: Path
    data: Path
    numbers: dict[str, Any]


def wanted(bench: Workbench, kind: str) -> bool:
    """Whether the study asks for this report and has what it needs."""
    return kind in bench.study.reports and all(getattr(bench.study, chapter) for chapter in CHAPTERS[kind])


def make_report(bench: Workbench, kind: str) -> Report:
    """Render one report of the study and write it to `<reports>/<study>/<kind>.{pdf,html,json}`."""
    rendered = render(kind, results(bench, cards=kind in WITH_CARDS))
    folder = bench.settings.reports / bench.study.name
    return Report(
        kind,
        pdf=write_bytes(folder / f"{kind}.pdf", rendered.pdf),
        html=write_text(folder / f"{kind}.html", rendered.html),
        data=write_bytes(folder / f"{kind}.json", rendered.json),
        numbers=rendered.data,
    )


def results(bench: Workbench, *, cards: bool = True) -> StudyResults:
    """The study's tables, artifacts and lineage, as the reports read them; `cards`: with pictures for unit cards."""
    tables = bench.warehouse.read(bench.study.name)
    study = bench.study
    facts: dict[str, Any] = {
        "name": study.name,
        "title": study.title,
        "description": study.description,
        "seed": study.seed,
        "command": f"xai run {study.name}",
        "lineage": _lineage(tables),
    }
    if study.attribution:
        facts["layer"] = study.attribution.layer
    if study.dissection:
        facts["min_iou"] = study.dissection.netdissect.min_iou
    named = {name: frame for name, frame in tables.items() if name in StudyResults.table_names()}
    found = StudyResults(study=facts, artifact=bench.store.get, **named)
    return replace(found, unit_pictures=unit_pictures(bench, found)) if cards else found


def _lineage(tables: dict[str, pd.DataFrame]) -> dict[str, dict[str, str]]:
    models = {
        row["model"]: f"sha256 {row['model_sha256']}"
        for row in tables["predictions"][["model", "model_sha256"]].drop_duplicates().to_dict("records")
    }
    health = tables["probe_health"]
    probe = {row["key"]: row["value"] for row in health.to_dict("records") if "sha256" in row["key"]}
    versions = {name: version(name) for name in VERSIONS} | {"python": platform.python_version()}
    return {
        name: facts
        for name, facts in (("Models", models), ("Probe set", probe), ("Versions", versions))
        if facts
    }
