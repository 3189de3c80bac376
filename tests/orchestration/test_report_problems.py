"""A report has what the steps that it is made from could not do, and that one had to be tried again."""

import dagster as dg
import pytest

from xai_assets.assets.reports import PROBLEMS, problems
from xai_assets.automation.partitions import studies


def _run(fails_once):
    found, tried = [], []

    @dg.asset(partitions_def=studies, retry_policy=dg.RetryPolicy(max_retries=1))
    def masks() -> dg.MaterializeResult:
        tried.append(1)
        if fails_once and len(tried) == 1:
            raise MemoryError
        return dg.MaterializeResult(metadata={PROBLEMS: "a.png: no map.\nb.png: no map."})

    @dg.asset(partitions_def=studies, deps=[masks])
    def table() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"rows": 1})

    @dg.asset(partitions_def=studies)
    def aside() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={PROBLEMS: "none of the report's"})

    @dg.asset(partitions_def=studies, deps=[table])
    def report(context: dg.AssetExecutionContext) -> None:
        found.extend(problems(context))

    jobs = [dg.define_asset_job("all", partitions_def=studies)]
    job = dg.Definitions([masks, table, aside, report], jobs=jobs).resolve_job_def("all")
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(partition_key="demo", instance=instance).success
    return found


SAID = [{"asset": "masks", "said": "a.png: no map."}, {"asset": "masks", "said": "b.png: no map."}]


@pytest.mark.parametrize("fails_once", [False, True])
def test_a_report_has_what_steps_above_it_said_and_what_was_tried_again(fails_once):
    again = [{"asset": "masks", "said": "failed once in this run and was tried again"}]
    assert _run(fails_once) == SAID + again * fails_once
