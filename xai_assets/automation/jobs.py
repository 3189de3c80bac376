"""Jobs: what a person or a schedule starts."""

import dagster as dg

from xai_assets.automation.partitions import studies

study_job = dg.define_asset_job(
    "study",
    selection=dg.AssetSelection.all(),
    partitions_def=studies,
    description="Everything, for one study: images and probe set to tables and reports.",
)
