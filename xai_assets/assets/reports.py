"""The reports: read from DuckDB and the artifacts, rendered to PDF, one click away in the UI."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluation
from dagster._core.event_api import PartitionKeyFilter

from xai_assets.assets.step import open_bench
from xai_assets.automation.partitions import studies
from xai_assets.checks.check import NOT_ASKED, state
from xai_assets.checks.warehouse import EXPLANATIONS_HOLD
from xai_assets.execution.op_tags import HOME, SOON
from xai_assets.files import fingerprint
from xai_assets.text import unescape_markdown
from xai_assets.web.publish import publish
from xai_assets.web.shown import links, markdown_entry

GROUP = "reports"

PROBLEMS = "problems"
"""The entry of a step's metadata that says what it could not do, a line each."""

REPORTS = {
    "dissection": ("What the units of each model have learned.", ["concept_tables"]),
    "cam": ("Where the model looked: Grad-CAM, AblationCAM and ScoreCAM, image by image.", ["mask_tables"]),
    "lime": ("Which superpixels speak for the class: LIME, image by image.", ["mask_tables"]),
    "comparison": (
        "Models side by side, and methods against each other.",
        ["concept_tables", "mask_tables", "measure_tables", "model_tables", "explanation_drift"],
    ),
    "failures": (
        "What the model gets wrong: accuracy, confusions, calibration, and its mistakes explained.",
        ["performance_tables", "mask_tables"],
    ),
    "study": (
        "The whole study: verdict, headline numbers, every chapter.",
        [
            "concept_tables",
            "performance_tables",
            "mask_tables",
            "measure_tables",
            "model_tables",
            "explanation_drift",
        ],
    ),
}


def run_facts(context: dg.AssetExecutionContext, tables: list[str]) -> dict[str, str]:
    """The run, and the materialisation of each table that the report reads: its id in Dagster's log, and its run."""
    facts = {"run": context.run_id}
    for name in tables:
        of_study = dg.AssetRecordsFilter(dg.AssetKey(name), asset_partitions=[context.partition_key])
        for record in context.instance.fetch_materializations(of_study, limit=1).records:
            facts[name] = f"materialisation {record.storage_id}, run {record.run_id}"
    return facts


def loaded(context: dg.AssetExecutionContext, tables: list[str]) -> str | None:
    """When the newest of the tables was loaded, ISO 8601 in UTC; None where Dagster does not know."""
    times = []
    for name in tables:
        of_study = dg.AssetRecordsFilter(dg.AssetKey(name), asset_partitions=[context.partition_key])
        times += [one.timestamp for one in context.instance.fetch_materializations(of_study, limit=1).records]
    return datetime.fromtimestamp(max(times), UTC).isoformat(timespec="minutes") if times else None


def step_cost(context: dg.AssetExecutionContext) -> list[dict[str, Any]]:
    """What each step that the report is made from took when it last ran for this study: asset, seconds, and results."""
    graph = context.job_def.asset_layer.asset_graph
    rows = []
    for key in sorted(graph.get_ancestor_asset_keys(context.asset_key), key=lambda key: key.to_user_string()):
        of_study = dg.AssetRecordsFilter(key, asset_partitions=[context.partition_key])
        for record in context.instance.fetch_materializations(of_study, limit=1).records:
            found = record.asset_materialization.metadata if record.asset_materialization else {}
            values = {
                name: found[name].value if name in found else None
                for name in ("seconds", "computed", "reused")
            }
            rows.append({"asset": key.to_user_string()} | values)
    return rows


def latest_checks(context: dg.AssetExecutionContext) -> list[dict[str, Any]]:
    """What each check of what the report is made from last said of this study: asset, name, passed, blocking, sentence.

    `passed` is None where it was not asked.
    """
    graph = context.job_def.asset_layer.asset_graph
    above = graph.get_ancestor_asset_keys(context.asset_key)
    keys = sorted(
        (key for key in graph.asset_check_keys if key.asset_key in above),
        key=lambda key: key.to_user_string(),
    )
    found = context.instance.event_log_storage.get_latest_asset_check_execution_by_key(
        keys, partition_filter=PartitionKeyFilter(key=context.partition_key)
    )
    rows = []
    for key in keys:
        said = found[key].event if key in found else None
        if said is None or said.dagster_event is None:
            continue
        answer = said.dagster_event.event_specific_data
        # A report is about one run: that the one before was the same is said by the check, and not in it.
        of_runs = key.name == EXPLANATIONS_HOLD.name
        if not isinstance(answer, AssetCheckEvaluation) or (answer.passed and of_runs):
            continue
        rows.append(
            {
                "asset": key.asset_key.to_user_string(),
                "name": key.name,
                "passed": None if state(answer) == NOT_ASKED else answer.passed,
                "blocking": answer.severity == dg.AssetCheckSeverity.ERROR,
                "said": unescape_markdown(answer.description or ""),
            }
        )
    return rows


def problems(context: dg.AssetExecutionContext) -> list[dict[str, str]]:
    """What the steps that the report is made from could not do, as each said when it last ran for this study."""
    graph = context.job_def.asset_layer.asset_graph
    rows = []
    for key in sorted(graph.get_ancestor_asset_keys(context.asset_key), key=lambda key: key.to_user_string()):
        of_study = dg.AssetRecordsFilter(key, asset_partitions=[context.partition_key])
        for record in context.instance.fetch_materializations(of_study, limit=1).records:
            made = record.asset_materialization
            said = made.metadata.get(PROBLEMS) if made is not None else None
            if said is not None:
                rows += [
                    {"asset": key.to_user_string(), "said": line} for line in str(said.value).splitlines()
                ]
    return rows + _failed(context)


def _failed(context: dg.AssetExecutionContext) -> list[dict[str, str]]:
    """The steps of this run that failed, or had to be tried again."""
    kinds = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.STEP_UP_FOR_RETRY}
    rows = []
    for entry in context.instance.all_logs(context.run_id, of_type=kinds):
        event = entry.dagster_event
        if event is not None and event.step_key is not None:
            again = event.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY
            said = "failed once in this run and was tried again" if again else "failed in this run"
            rows.append({"asset": event.step_key, "said": said})
    return rows


def _report(kind: str, description: str, tables: list[str]) -> dg.AssetsDefinition:
    @dg.asset(
        name=f"{kind}_report",
        deps=tables,
        partitions_def=studies,
        group_name=GROUP,
        kinds={"pdf"},
        op_tags=HOME | SOON,
        code_version="2",
        output_required=False,
        description=f"{description} PDF, HTML and JSON.",
    )
    def report(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        from xai_assets.analysis.reports import lacks, make_report, wanted

        started = time.perf_counter()
        bench = open_bench(context)
        if not wanted(bench, kind):
            missing = lacks(bench.study, kind)
            why = f": it has no {missing}" if missing else ""
            context.log.info(f"The study {bench.study.name} does not make the {kind} report{why}.")
            return
        made = make_report(
            bench,
            kind,
            run_facts(context, tables),
            latest_checks(context),
            problems(context),
            created=loaded(context, tables),
            steps=step_cost(context),
        )
        served = [
            (
                publish(
                    context.instance,
                    ("reports", bench.study.name, kind),
                    file.suffix[1:],
                    file.read_bytes(),
                    kept=file,
                ),
                label,
            )
            for file, label in ((made.pdf, "Download PDF"), (made.data, "its numbers as JSON"))
        ]
        metadata: dict[str, Any] = {
            "download": markdown_entry(links(served)),  # first, since it is what people come for
            "pdf": dg.MetadataValue.path(made.pdf),
            "html": dg.MetadataValue.path(made.html),
            "json": dg.MetadataValue.path(made.data),
            "reused": made.reused,
            "size_kib": made.pdf.stat().st_size // 1024,
            "seconds": round(time.perf_counter() - started, 3),
        }
        # What the report says, and not by which run and commit it was made.
        study = {name: value for name, value in made.numbers["study"].items() if name != "created"}
        version = dg.DataVersion(
            fingerprint(made.numbers | {"study": study, "provenance": None, "steps": None})
        )
        yield dg.MaterializeResult(metadata=metadata, data_version=version)

    return report


report_assets = [_report(kind, description, tables) for kind, (description, tables) in REPORTS.items()]
