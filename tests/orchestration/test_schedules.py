"""A study that names a cron expression has a schedule, which starts its partition; a broken file takes no other's."""

import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import yaml
from click.testing import CliRunner
from dagster._core.instance.ref import InstanceRef
from dagster._utils.schedules import cron_string_iterator

from tests.conftest import CHECKOUT
from xai_assets.automation import schedule_check
from xai_assets.automation.cron import cron_problem, longest_wait, shortest_wait, ticks
from xai_assets.automation.in_progress import NOT_ENDED
from xai_assets.automation.schedule_check import schedule_found
from xai_assets.automation.schedules import study_schedules
from xai_assets.build import build_definitions
from xai_assets.cli import cli
from xai_assets.settings import Settings
from xai_assets.study_file import StudyError, find_study, read_study

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
    repository = build_definitions().get_repository_def()
    with (
        dg.instance_for_test() as instance,
        dg.build_schedule_context(instance=instance, repository_def=repository) as context,
    ):
        (request,) = schedule.evaluate_tick(context).run_requests
    assert request.partition_key == "demo"


def test_a_schedule_that_never_fires_is_refused_and_takes_no_other_study_down(tmp_path, monkeypatch):
    folder = tmp_path / "studies"
    folder.mkdir()
    (folder / "good.yaml").write_text(STUDY, encoding="utf-8")
    (folder / "april.yaml").write_text(STUDY.replace("0 3 * * *", "0 0 31 4 *"), encoding="utf-8")
    settings = Settings.from_environment({"XAI_DATA": str(tmp_path)})
    assert [schedule.name for schedule in study_schedules(settings)] == ["good_schedule"]
    build_definitions(settings=settings)
    monkeypatch.setenv("XAI_DATA", str(tmp_path))
    found = CliRunner().invoke(cli, ["check", "april"])
    assert found.exit_code == 2 and "never fires" in found.output
    listed = json.loads(CliRunner().invoke(cli, ["studies", "--json"]).stdout)
    assert "never fires" in next(row["note"] for row in listed if row["name"] == "april")


@pytest.mark.parametrize(
    "cron",
    [
        "0 0 31 4 *",
        "0 0 30 2 *",
        "0 0 31 2 *",
        "0 0 31 2,4,6,9,11 *",
        "0 99 * * *",
        "* * * *",
        "0 0 0 * *",
        "1/0 * * * *",
    ],
)
def test_what_never_fires_has_a_problem(cron):
    assert cron_problem(cron)
    assert ticks(cron) == ()


@pytest.mark.parametrize(
    "cron",
    ["0 0 29 2 *", "0 0 31 * *", "0 0 * * 7", "0 9 * * MON-FRI", "0 0 L * *", "* * * * *", "0 0 31 1 *"],
)
def test_what_fires_has_none(cron):
    assert cron_problem(cron) is None
    assert shortest_wait(cron) <= longest_wait(cron)


def test_hours_are_those_of_the_clock_of_the_time_zone_over_both_changes(tmp_path):
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 1, 1, tzinfo=berlin).timestamp()
    found = list(islice(cron_string_iterator(start, "30 1 * * *", "Europe/Berlin"), 365))
    assert {(tick.astimezone(berlin).hour, tick.astimezone(berlin).minute) for tick in found} == {(1, 30)}
    assert len({tick.astimezone(berlin).date() for tick in found}) == 365
    assert len({tick.astimezone(UTC).hour for tick in found}) == 2
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "demo.yaml").write_text(STUDY + "timezone: Europe/Berlin\n", encoding="utf-8")
    (schedule,) = study_schedules(Settings.from_environment({"XAI_DATA": str(tmp_path)}))
    assert schedule.execution_timezone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Europe/Berln", "Did you mean 'Europe/Berlin'"),
        ("../../etc/passwd", "no time zone"),
        ("", "no time zone"),
    ],
)
def test_a_time_zone_that_does_not_exist_is_a_problem_of_its_study(tmp_path, zone, said):
    (tmp_path / "demo.yaml").write_text(STUDY + f"timezone: {zone!r}\n", encoding="utf-8")
    with pytest.raises(StudyError, match=said):
        read_study(tmp_path / "demo.yaml")


@pytest.mark.parametrize(
    "status", [status for status in NOT_ENDED if status is not dg.DagsterRunStatus.QUEUED]
)
@pytest.mark.parametrize(
    "tags",
    [
        {"dagster/partition": "demo"},
        {
            "dagster/asset_partition_range_start": "demo",
            "dagster/asset_partition_range_end": "photographs",
        },
    ],
)
def test_no_second_run_is_started_beside_one_that_has_not_ended(tmp_path, status, tags):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "demo.yaml").write_text(STUDY, encoding="utf-8")
    (schedule,) = study_schedules(Settings.from_environment({"XAI_DATA": str(tmp_path)}))
    job = build_definitions().resolve_job_def("study")
    with dg.instance_for_test() as instance:
        run = instance.create_run_for_job(job, tags=tags, status=status)
        instance.create_run_for_job(
            job, tags={"dagster/partition": "other"}, status=dg.DagsterRunStatus.STARTED
        )

        def tick():
            with dg.build_schedule_context(
                instance=instance, repository_def=build_definitions().get_repository_def()
            ) as context:
                return schedule.evaluate_tick(context)

        skipped = tick()
        assert dg.DagsterRunStatus.QUEUED in NOT_ENDED  # such a run needs an origin, which a test has not
        assert not skipped.run_requests and run.run_id[:8] in skipped.skip_message
        instance.report_run_failed(run)
        assert [request.partition_key for request in tick().run_requests] == ["demo"]


def test_a_wait_shorter_than_the_last_run_is_said(tmp_path, monkeypatch):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.yaml").write_text(STUDY, encoding="utf-8")
    settings = Settings.from_environment({"XAI_DATA": str(tmp_path)})
    file = find_study("mine", settings)
    (row,) = schedule_found(file, settings)
    assert row["state"] == "ok" and not (tmp_path / "dagster").exists()
    monkeypatch.setattr(schedule_check, "_last_run", lambda study, settings: timedelta(minutes=50 * 60))
    (row,) = schedule_found(file, settings)
    assert row["state"] == "look" and "the last took 50 hours" in row["said"]


def test_dagster_yaml_bounds_runs_and_ticks():
    with (CHECKOUT / "dagster.yaml").open() as file:
        config = yaml.safe_load(file)
    assert config["concurrency"]["runs"]["max_concurrent_runs"] == 2
    assert config["retention"]["sensor"]["purge_after_days"]["skipped"] == 7
    InstanceRef.from_dir(str(CHECKOUT))  # Dagster knows the fields
