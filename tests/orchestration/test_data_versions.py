"""Data versions follow content: what is made again and comes out the same moves nothing below it."""

from datetime import timedelta

import dagster as dg
import pandas as pd
import pytest

from xai_assets.assets.step import run_step
from xai_assets.automation.conditions import FOLLOW, automated, report_ages
from xai_assets.automation.partitions import studies
from xai_assets.build import build_definitions
from xai_assets.resources.frames import content_version
from xai_assets.settings import Settings


def test_a_version_follows_the_content_and_not_the_seconds():
    table = pd.DataFrame(
        {"image_id": ["a", None], "iou": [0.1, None], "seconds": [1.0, 2.0], "device": "cpu"}
    )
    assert content_version(table) == content_version(table.assign(seconds=9.0, device="cuda"))
    others = [
        table.assign(iou=[0.1, 0.2]),
        table.assign(iou=[0.1 + 2**-50, None]),
        table.assign(image_id=["a", ""]),
        table.rename(columns={"iou": "dice"}),
        table.iloc[:1],
        table.iloc[::-1],
    ]
    assert len({content_version(table), *(content_version(other) for other in others)}) == 7
    assert content_version(table, table) != content_version(table)


@pytest.fixture
def graph():
    """A parent whose table is what `said` holds, and a child that follows it."""
    said = ["one"]

    @dg.asset(partitions_def=studies)
    def parent(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        def work(bench):
            bench.tally.reused += 3
            return pd.DataFrame({"word": said})

        return run_step(context, "attribution", work)

    @dg.asset(partitions_def=studies, deps=[parent], automation_condition=FOLLOW)
    def child() -> None: ...

    return said, dg.Definitions([parent, child]), [parent, child]


def test_an_asset_follows_a_parent_whose_content_changed_and_no_other(graph):
    said, definitions, assets = graph
    with dg.DagsterInstance.ephemeral() as instance:

        def make(*selection):
            dg.materialize(assets, partition_key="demo", instance=instance, selection=list(selection))

        make("parent", "child")
        cursor, requested = None, []

        def tick():
            nonlocal cursor
            result = dg.evaluate_automation_conditions(definitions, instance, cursor=cursor)
            cursor = result.cursor
            requested.append(sorted(result.get_requested_partitions(dg.AssetKey("child"))))

        tick()
        make("parent")
        tick()
        said[0] = "two"
        make("parent")
        tick()
        make("child")
        tick()
        said[0] = "three"
        make("parent", "child")
        tick()
    assert requested == [[], [], ["demo"], [], []]


def test_what_computed_nothing_says_so(graph):
    _, _, assets = graph
    with dg.DagsterInstance.ephemeral() as instance:
        ran = dg.materialize(assets, partition_key="demo", instance=instance, selection=["parent"])
    (made,) = ran.asset_materializations_for_node("parent")
    assert made.metadata["computed"].value == 0
    assert made.metadata["note"].value == "Nothing was computed: all 3 results were there."


def test_every_asset_follows_what_it_is_made_from():
    graph = build_definitions().resolve_asset_graph()
    assert all(graph.get(key).automation_condition == FOLLOW for key in graph.get_all_asset_keys())


def test_reports_of_scheduled_studies_have_an_age_limit(tmp_path):
    study = """\
title: Scheduled
schedule: "{cron}"
reports: [{report}]
attribution:
  model: diorama/object
  images: {{diorama: {{}}}}
  methods: {{gradcam: {{}}}}
"""
    (tmp_path / "studies").mkdir()
    for name, cron, report in [
        ("daily", "0 3 * * *", "cam"), ("hourly", "0 * * * *", "cam"), ("weekdays", "0 3 * * 1-5", "lime"),
    ]:  # fmt: skip
        text = study.format(cron=cron, report=report)
        (tmp_path / "studies" / f"{name}.yaml").write_text(text, encoding="utf-8")
    settings = Settings.from_environment({"XAI_DATA": str(tmp_path)})
    ages = {asset: policy.fail_window.to_timedelta() for asset, policy in report_ages(settings).items()}
    assert ages == {"cam_report": timedelta(hours=2), "lime_report": timedelta(days=6)}

    @dg.asset(name="cam_report")
    def cam() -> None: ...

    (automated_report,) = automated([cam], settings)
    (spec,) = automated_report.specs
    assert spec.freshness_policy == report_ages(settings)["cam_report"]
