"""A report has the checks of what it is made from; those that were not asked have neither passed nor failed."""

import dagster as dg
import pandas as pd
import pytest

from xai_assets.assets.reports import latest_checks
from xai_assets.automation.partitions import studies
from xai_assets.checks.check import Check, Verdict
from xai_assets.checks.rules import left_out

GOOD = Check("good", "x", lambda table: Verdict(True, "All is well.", {"rows": 1}))
BAD = Check("bad", "x", lambda table: Verdict(False, "It is not.", {"rows": 1}), blocking=True)
NONE = Check("none", "x", lambda table: left_out("it"))


def _checked(name, *checks):
    @dg.asset(
        name=name,
        partitions_def=studies,
        check_specs=[check.spec(name) for check in checks],
        dagster_type=dg.Any,
    )
    def asset() -> dg.MaterializeResult:
        return dg.MaterializeResult(value=1, check_results=[check.result(pd.DataFrame()) for check in checks])

    return asset


@pytest.fixture
def said():
    found = []

    @dg.asset(partitions_def=studies, deps=["table"])
    def report(context: dg.AssetExecutionContext) -> None:
        found.extend(latest_checks(context))

    @dg.asset(partitions_def=studies, deps=["above"])
    def table() -> None: ...

    assets = [_checked("above", GOOD, NONE), _checked("aside", BAD), table, report]
    job = dg.Definitions(assets, jobs=[dg.define_asset_job("all", partitions_def=studies)]).resolve_job_def(
        "all"
    )
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(partition_key="demo", instance=instance, raise_on_error=False)
    return found


def test_a_report_has_the_checks_of_what_it_is_made_from(said):
    assert said == [
        {"asset": "above", "name": "good", "passed": True, "blocking": False, "said": "All is well."},
        {
            "asset": "above",
            "name": "none",
            "passed": None,
            "blocking": False,
            "said": "Not asked: The study leaves it out.",
        },
    ]
