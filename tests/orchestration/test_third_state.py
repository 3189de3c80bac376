"""What was not asked is skipped in the web UI: neither passed nor failed."""

import asyncio
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionResolvedStatus
from dagster_graphql.schema.asset_checks import GrapheneAssetCheckExecution

from xai_assets.automation.partitions import studies
from xai_assets.checks.check import Check, Verdict, not_asked
from xai_assets.web.third_state import show_not_asked


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (not_asked("There is nothing."), "SKIPPED"),
        (Verdict(True, "It is."), "SUCCEEDED"),
        (Verdict(False, "It is not."), "FAILED"),
    ],
)
def test_the_status_that_the_ui_is_told(found, shown, monkeypatch):
    monkeypatch.setattr(
        GrapheneAssetCheckExecution, "resolve_status", GrapheneAssetCheckExecution.resolve_status
    )
    show_not_asked()
    show_not_asked()
    one = Check("one", "d", lambda *_: found)

    @dg.asset(name="a", partitions_def=studies, check_specs=[one.spec("a")], dagster_type=dg.Any)
    def a() -> dg.MaterializeResult:
        return dg.MaterializeResult(value=1, check_results=[one.result([1])])

    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([a], instance=instance, partition_key="demo").success
        key = dg.AssetCheckKey(dg.AssetKey("a"), "one")
        (record,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        told = asyncio.run(
            GrapheneAssetCheckExecution.resolve_status(
                SimpleNamespace(_execution=record), SimpleNamespace(context=instance)
            )
        )
    assert told is AssetCheckExecutionResolvedStatus[shown]
