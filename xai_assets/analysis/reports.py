"""A study's reports: read from the warehouse and the artifacts, written as PDF, HTML and JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

import xai_assets
from xai_assets.analysis.drift import changed
from xai_assets.analysis.provenance import provenance
from xai_assets.analysis.target_layer import CHOSEN
from xai_assets.analysis.unit_pictures import unit_pictures
from xai_assets.analysis.workbench import Workbench
from xai_assets.effort import SAID
from xai_assets.evaluation.localization import METRICS_OF
from xai_assets.files import fingerprint, make_way, sha256_bytes, sha256_file, write_bytes
from xai_assets.reporting.narrative import EXPLAINED, PROBED
from xai_assets.reporting.results import StudyResults
from xai_assets.resources import written
from xai_assets.resources.loads import LOADS, SHARED
from xai_assets.settings import shipped
from xai_assets.study import Study

CHAPTERS = {
    "dissection": ("dissection",),
    "comparison": (),
    "cam": ("attribution",),
    "lime": ("attribution",),
    "failures": ("attribution",),
    "study": (),
}
"""The chapters of a study that a report cannot do without."""

_TEMPLATES = shipped("reports_templates")
_PACKAGE = Path(xai_assets.__file__).parent

BEFORE_MEASURES = ("cam", "lime", "failures")
"""The reports that show nothing of what the model is asked again for: they are made before it is."""

FAITHFULNESS_SECTION = "faithfulness"

WITH_CARDS = ("dissection", "study")
"""The reports that show units with the pictures that drive them."""


@dataclass(frozen=True)
class Report:
    """A report as it stands on disk.

    Attributes:
        kind: dissection, cam, lime, comparison, failures or study.
        pdf, html, data: the three files.
        numbers: what `data` holds.
        reused: whether it stood there already, made from the same.
    """

    kind: str
    pdf: Path
    html: Path
    data: Path
    numbers: dict[str, Any]
    reused: bool = False


def wanted(bench: Workbench, kind: str) -> bool:
    """Whether the study asks for this report and has what it needs."""
    return kind in bench.study.reports and lacks(bench.study, kind) is None


def lacks(study: Study, kind: str) -> str | None:
    """What the study does not have and this report cannot do without, such as "dissection"; None: it has everything."""
    for chapter in CHAPTERS[kind]:
        if getattr(study, chapter) is None:
            return chapter
    if kind == "failures" and study.attribution is not None and not study.attribution.images.labelled:
        return "labels of its images"
    return None


def make_report(
    bench: Workbench,
    kind: str,
    run: Mapping[str, str] | None = None,
    checks: Sequence[Mapping[str, Any]] = (),
    problems: Sequence[Mapping[str, str]] = (),
    *,
    created: str | None = None,
    steps: Sequence[Mapping[str, Any]] = (),
) -> Report:
    """Render one report of the study and write it to `<reports>/<study>/<kind>.{pdf,html,json}`.

    A report that was made from the same tables, study, weights, templates and code is left as it stands, with the run
    that made it in its provenance. One that was cut or edited since is made again.

    Args:
        bench: of the study.
        kind: of `CHAPTERS`.
        run: what the orchestrator knows of the run, by name; it stands in the report's provenance.
        checks: the latest answers of the checks of the study's assets, see `reporting.checks`.
        problems: what the study's steps could not do: `asset` and `said`.
        created: when the tables were loaded, ISO 8601 in UTC; it stands on the first page.
        steps: what each step took: `asset`, `seconds`, `computed` and `reused`, or None.
    """
    found = results(
        bench, kind, run=run or {}, checks=checks, problems=problems, created=created, steps=steps
    )
    root = bench.settings.reports
    pdf, html, data = (root / bench.study.name / f"{kind}.{suffix}" for suffix in ("pdf", "html", "json"))
    known = written.recorded(root)
    whole = all(written.as_written(root, path, known) for path in (pdf, html, data))
    standing = _standing(data) if whole else None
    if standing is not None and standing["study"]["made_from"] == found.study["made_from"]:
        return Report(kind, pdf, html, data, standing, reused=True)
    from xai_assets.reporting.render import (
        render,
    )  # WeasyPrint and Matplotlib, two seconds that a standing report saves

    if kind in WITH_CARDS:
        found = replace(found, unit_pictures=unit_pictures(bench, found))
    rendered = render(kind, found)
    # The data come last: where they stand, the other two do.
    content = {pdf: rendered.pdf, html: rendered.html.encode("utf-8"), data: rendered.json}
    for path, part in content.items():
        make_way(path)
        write_bytes(path, part)
    written.record(root, {path: sha256_bytes(part) for path, part in content.items()})
    return Report(kind, pdf, html, data, rendered.data)


def _before_measures(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables without what `measure_tables` loads, so that a report is the same before and behind it."""
    rest = dict(tables)
    for name in LOADS["measure_tables"]:
        rest[name] = (
            rest[name][rest[name]["metric"].isin(METRICS_OF)] if name in SHARED else rest[name].iloc[:0]
        )
    headline = rest["headline"]
    rest["headline"] = headline[headline["section"] != FAITHFULNESS_SECTION].reset_index(drop=True)
    return {name: table.reset_index(drop=True) for name, table in rest.items()}


def _standing(data: Path) -> dict[str, Any] | None:
    """The numbers of a report that stands there; None where there is none, or one that cannot be read."""
    try:
        if not data.is_file():  # a named pipe would be waited for
            return None
        found = json.loads(data.read_text(encoding="utf-8"))
        return found if "made_from" in found["study"] else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # made anew, over whatever it is


def results(
    bench: Workbench,
    kind: str,
    *,
    run: Mapping[str, str],
    checks: Sequence[Mapping[str, Any]],
    problems: Sequence[Mapping[str, str]] = (),
    created: str | None = None,
    steps: Sequence[Mapping[str, Any]] = (),
) -> StudyResults:
    """The study's tables, artifacts and lineage, as a kind of report reads them; without pictures for unit cards."""
    tables = bench.warehouse.read(bench.study.name)
    if kind in BEFORE_MEASURES:
        tables = _before_measures(tables)
    study = bench.study
    facts: dict[str, Any] = {
        "name": study.name,
        "title": study.title,
        "description": study.description,
        "seed": study.seed,
        "command": f"xai run {study.name}" + (f" --{bench.file.effort}" if bench.file.effort else ""),
        "effort": SAID[bench.file.effort] if bench.file.effort else None,
        "yaml": bench.file.data.decode("utf-8", errors="replace"),
        "reports": list(study.reports),
        "checks": [dict(check) for check in checks],
        "problems": [dict(problem) for problem in problems],
        "synthetic": _synthetic(study),
        "lineage": provenance(bench, tables["maps"], run),
    }
    if layers := list(dict.fromkeys(tables["maps"]["layer"].dropna())):
        chosen = study.attribution is not None and study.attribution.layer is None
        facts["layer"] = ", ".join(layers) + (f" ({CHOSEN})" if chosen else "")
    if study.dissection:
        facts["min_iou"] = study.dissection.netdissect.min_iou
    named = {name: frame for name, frame in tables.items() if name in StudyResults.table_names()}
    # The same as before is nothing to report, and no reason to make the reports anew.
    named["explanation_drift"] = changed(named["explanation_drift"])
    facts["made_from"] = _made_from(named, facts)
    # A later run that finds the same makes no report anew, so that date and cost stay those of the one that made it.
    facts |= {"steps": [dict(step) for step in steps]} | ({"created": created} if created is not None else {})
    return StudyResults(study=facts, artifact=bench.store.get, **named)


def _synthetic(study: Study) -> list[str]:
    """Which of the study's images are drawn by the embedded world."""
    found = []
    if study.attribution and study.attribution.images.diorama:
        found.append(EXPLAINED)
    if study.dissection and study.dissection.probe.diorama:
        found.append(PROBED)
    return found


def _made_from(tables: Mapping[str, pd.DataFrame], facts: Mapping[str, Any]) -> str:
    """A name for all that a report follows from, but for the run: images follow from the tables' artifacts.

    The whole package counts, since there is no part of it of which it could be said that no report follows from it.
    """
    lineage = {group: of for group, of in facts["lineage"].items() if group not in ("Run", "Code")}
    sources = sorted([*_PACKAGE.rglob("*.py"), *_TEMPLATES.rglob("*.html"), *_TEMPLATES.rglob("*.css")])
    return fingerprint(
        {
            "tables": {
                name: sha256_bytes(table.to_csv(index=False).encode()) for name, table in tables.items()
            },
            "facts": {**facts, "lineage": lineage},
            "sources": [[path.relative_to(_root(path)).as_posix(), sha256_file(path)] for path in sources],
        }
    )


def _root(path: Path) -> Path:
    return _PACKAGE if path.is_relative_to(_PACKAGE) else _TEMPLATES
