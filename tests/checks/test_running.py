"""Checks as Dagster runs them: for the study of the partition, a warning that lets go on, an error that does not."""

import dagster as dg
import pandas as pd
import pytest

from xai_assets.automation.partitions import studies
from xai_assets.checks.check import Check, Verdict


def look(table):
    return Verdict(
        bool(table["good"].all()), f"{int(table['good'].sum())} of {len(table)} are good.", {"n": len(table)}
    )


def run(good, blocking):
    check = Check("all_good", "Every row is good.", look, blocking=blocking)

    @dg.asset(partitions_def=studies, check_specs=[check.spec("first")], dagster_type=dg.Any)
    def first() -> dg.MaterializeResult:
        table = pd.DataFrame({"good": good})
        return dg.MaterializeResult(value=table, check_results=[check.result(table)])

    @dg.asset(partitions_def=studies)
    def second(first):
        return len(first)

    with dg.DagsterInstance.ephemeral() as instance:
        ran = dg.materialize([first, second], partition_key="demo", instance=instance, raise_on_error=False)
        (evaluation,) = ran.get_asset_check_evaluations()
        made = {event.asset_key.to_user_string() for event in ran.get_asset_materialization_events()}
    return evaluation, made


@pytest.mark.parametrize("blocking", [False, True])
def test_what_holds_lets_go_on(blocking):
    evaluation, made = run([True, True], blocking)
    assert evaluation.passed and evaluation.partition == "demo"
    assert made == {"first", "second"}


def test_a_warning_is_said_and_lets_go_on():
    evaluation, made = run([True, False], blocking=False)
    assert not evaluation.passed
    assert evaluation.severity is dg.AssetCheckSeverity.WARN
    assert evaluation.description == "1 of 2 are good."
    assert evaluation.metadata["n"].value == 2
    assert made == {"first", "second"}


def test_a_blocking_check_stops_what_would_be_built_on_it():
    evaluation, made = run([False], blocking=True)
    assert not evaluation.passed
    assert evaluation.severity is dg.AssetCheckSeverity.ERROR
    assert made == {"first"}
