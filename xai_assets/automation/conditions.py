"""When assets follow by themselves, and how old a report may become."""

from collections.abc import Iterable
from datetime import timedelta

import dagster as dg

from xai_assets.automation.cron import longest_wait
from xai_assets.automation.schedules import scheduled_studies
from xai_assets.settings import Settings

FOLLOW = (
    dg.AutomationCondition.any_deps_match(
        dg.AutomationCondition.data_version_changed()
        # What made the parent in the same run makes this one as well.
        & ~dg.AutomationCondition.executed_with_root_target()
    ).since_last_handled()
    & ~dg.AutomationCondition.any_deps_missing()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
).with_label("the content of what it is made from has changed")
"""Make an asset again when the content of one above it has changed. Data versions follow content, so that a parent that
was made again and came out the same moves nothing."""


def automated(assets: Iterable[dg.AssetsDefinition], settings: Settings) -> list[dg.AssetsDefinition]:
    """The assets with the condition under which they follow and, for reports of scheduled studies, with an age limit."""
    limits = report_ages(settings)

    def with_attributes(spec: dg.AssetSpec) -> dg.AssetSpec:
        limit = limits.get(spec.key.to_user_string())
        followed = spec.replace_attributes(automation_condition=FOLLOW)
        return followed.replace_attributes(freshness_policy=limit) if limit else followed

    return list(dg.map_asset_specs(with_attributes, assets))


def report_ages(settings: Settings) -> dict[str, dg.FreshnessPolicy]:
    """How old the reports of scheduled studies may be: one missed tick is a warning, two are a failure.

    Dagster knows the age of an asset and not of its partitions, hence the study that is run most often counts.
    """
    shortest: dict[str, timedelta] = {}
    for study, cron in scheduled_studies(settings):
        between = longest_wait(cron, study.timezone)
        for kind in study.reports:
            asset = f"{kind}_report"
            shortest[asset] = min(between, shortest.get(asset, between))
    return {
        asset: dg.FreshnessPolicy.time_window(fail_window=2 * between, warn_window=between * 1.25)
        for asset, between in shortest.items()
    }
