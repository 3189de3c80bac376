"""The code location: assets, jobs, schedules, sensors and what they borrow, put together in one place."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from xai_assets.assets import attribution, compared_models, dissection, evaluation, inputs, reports, warehouse
from xai_assets.assets.described import OWNER, described
from xai_assets.automation.conditions import automated
from xai_assets.automation.jobs import study_job
from xai_assets.automation.schedules import study_schedules
from xai_assets.automation.sensors import sensors
from xai_assets.execution.executor import xai_executor
from xai_assets.resources.io_manager import FrameIOManager
from xai_assets.settings import Settings


def build_definitions(
    *,
    settings: Settings | None = None,
    resources: Mapping[str, Any] | None = None,
    executor: dg.ExecutorDefinition = xai_executor,
    owner: str = OWNER,
) -> dg.Definitions:
    """Put the code location together.

    Args:
        settings: where things stand; default: the environment's.
        resources: in place of the usual ones, by name.
        executor: how steps run; by default as each run chooses, see `xai_assets.execution.executor`.
        owner: of all assets, an e-mail address or `team:` and a name.
    """
    settings = settings or Settings.from_environment()
    chapters = [inputs, dissection, evaluation, compared_models, warehouse]
    assets: list[Any] = [
        *dg.load_assets_from_modules(chapters),
        *attribution.mask_assets,
        *reports.report_assets,
    ]
    return dg.Definitions(
        assets=automated(described(assets, owner), settings),
        jobs=[study_job],
        schedules=study_schedules(settings),
        sensors=sensors(settings),
        resources={
            "io_manager": FrameIOManager(artifacts=str(settings.artifacts), shared=settings.shared),
            **(resources or {}),
        },
        executor=executor,
    )


def study_job_definition() -> dg.JobDefinition:
    """The job `study` by itself: what a run that is started by name in another process imports."""
    return build_definitions().resolve_job_def(study_job.name)
