"""Old runs go with their events and their output; those that run, or made the newest results, stay."""

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from xai_assets.execution.history import open_instance
from xai_assets.execution.old_runs import old_runs, remove_runs

STUDIES = dg.StaticPartitionsDefinition(["one", "two"])
ALL = -1
"""Days: every run ended before tomorrow."""


@dg.asset(partitions_def=STUDIES)
def masks() -> int:
    return 1


@dg.asset(partitions_def=STUDIES)
def report(masks: int) -> int:
    return masks


@pytest.fixture
def history(tmp_path):
    with open_instance(tmp_path) as instance:

        def run(study, *selected):
            made = dg.materialize(
                [masks, report], instance=instance, partition_key=study, selection=list(selected) or None
            )
            return made.run_id

        yield instance, run


def test_runs_that_made_the_newest_results_of_a_study_stay(history):
    instance, run = history
    first, second, other = run("one"), run("one", masks), run("two")
    last = run("one", masks)
    assert old_runs(instance, ALL, everything=True) == [second]
    assert old_runs(instance, 1, everything=True) == []
    assert {first, other, last} <= {found.run_id for found in instance.get_runs()}


def test_runs_of_other_code_in_the_same_history_stay(history):
    instance, run = history
    run("one", masks), run("one", masks)
    assert len(old_runs(instance, ALL, everything=True)) == 1
    assert old_runs(instance, ALL, everything=False) == []


def test_a_run_in_progress_stays(history):
    instance, run = history
    started = run("one")
    run("one")
    record = instance.get_run_by_id(started)
    instance.run_storage.delete_run(started)
    instance.add_run(record.with_status(DagsterRunStatus.STARTED))
    assert old_runs(instance, ALL, everything=True) == []


def test_a_run_goes_with_its_events_and_output_and_nothing_else(history, tmp_path):
    instance, run = history
    gone, kept = run("one"), run("one")
    logs = tmp_path / "storage" / gone / "compute_logs"
    logs.mkdir(parents=True, exist_ok=True)
    (logs / "masks.err").write_text("said", encoding="utf-8")
    (logs / "notes.txt").write_text("of somebody", encoding="utf-8")
    remove_runs(instance, [gone], tmp_path / "storage")
    assert not instance.has_run(gone) and instance.has_run(kept)
    assert instance.all_logs(kept)
    assert not list(tmp_path.glob(f"history/runs/{gone}*.db"))
    assert [path.name for path in logs.iterdir()] == ["notes.txt"]
