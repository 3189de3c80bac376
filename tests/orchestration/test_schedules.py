"""A study that names a cron expression has a schedule, which starts its partition; a broken file takes no other's."""

import dagster as dg

from xai_assets.automation.schedules import study_schedules
from xai_assets.build import build_definitions
from xai_assets.settings import Settings

STUDY = """\
title: Nightly
schedule: "0 3 * * *"
attribution:
  model: diorama/object
  images: {diorama: {}}
  methods: {gradcam: {}}
"""


def test_schedules_come_from_the_studies(tmp_path):
    folder = tmp_path / "studies"
    folder.mkdir()
    (folder / "demo.yaml").write_text(STUDY, encoding="utf-8")
    (folder / "broken.yaml").write_text("title: [", encoding="utf-8")
    (schedule,) = study_schedules(Settings.from_environment({"XAI_DATA": str(tmp_path)}))
    assert (schedule.name, schedule.cron_schedule) == ("demo_schedule", "0 3 * * *")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    with dg.build_schedule_context(repository_def=build_definitions().get_repository_def()) as context:
        (request,) = schedule.evaluate_tick(context).run_requests
    assert request.partition_key == "demo"
