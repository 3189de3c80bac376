"""The third state of checks in the web UI: what was not asked is shown as skipped, and not as passed.

Dagster stores a result as passed or failed. A result that is left out is no way: Dagster then shows that of an earlier
run, or "execution failed" where another step of the run failed. Its UI, however, knows a check that was skipped.
"""

from typing import Any

from dagster import AssetCheckEvaluation

from xai_assets.checks.check import NOT_ASKED, state


def show_not_asked() -> None:
    """Let the web server of this process answer that checks which were not asked are skipped."""
    from dagster_graphql.schema import asset_checks
    from dagster_graphql.schema.asset_checks import GrapheneAssetCheckExecution

    usual = GrapheneAssetCheckExecution.resolve_status
    if getattr(usual, "third_state", False):
        return

    async def resolve_status(execution: Any, graphene_info: Any) -> Any:
        found = execution._execution.evaluation
        if isinstance(found, AssetCheckEvaluation) and state(found) == NOT_ASKED:
            return asset_checks.AssetCheckExecutionResolvedStatus.SKIPPED
        return await usual(execution, graphene_info)

    resolve_status.third_state = True  # type: ignore[attr-defined]
    GrapheneAssetCheckExecution.resolve_status = resolve_status  # type: ignore[method-assign, assignment]
