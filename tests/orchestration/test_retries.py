"""What ran out of memory is tried once more in half-sized batches; what would fail again fails at once."""

import dagster as dg
import pandas as pd
import pytest
import torch

from xai_assets.assets.step import run_step
from xai_assets.automation.partitions import studies
from xai_assets.errors import XaiError
from xai_assets.execution.retries import ONCE_MORE, out_of_memory


def run(work):
    """The step's success, the events of its tries, and the batch sizes that the work saw."""
    batches = []

    @dg.asset(partitions_def=studies, retry_policy=ONCE_MORE)
    def heavy(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        def watched(bench):
            batches.append(bench.batch(64))
            return work(bench)

        return run_step(context, "attribution", watched)

    with dg.DagsterInstance.ephemeral() as instance:
        ran = dg.materialize([heavy], partition_key="demo", instance=instance, raise_on_error=False)
    return ran, batches


def no_memory_for(more_than, error):
    def work(bench):
        if bench.batch(64) > more_than:
            raise error
        return pd.DataFrame({"batch": [bench.batch(64)]})

    return work


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"),
    ],
)
def test_too_little_memory_is_tried_again_in_half_sized_batches(error):
    ran, batches = run(no_memory_for(32, error))
    assert ran.success
    assert batches == [64, 32]


def test_it_is_tried_once_more_and_not_for_ever():
    ran, batches = run(no_memory_for(1, torch.cuda.OutOfMemoryError("CUDA out of memory")))
    assert not ran.success
    assert batches == [64, 32]


@pytest.mark.parametrize("error", [XaiError("the file x", "is not there", "Put it there."), KeyError("x")])
def test_what_would_fail_again_fails_at_once_and_keeps_its_reason(error):
    ran, batches = run(no_memory_for(0, error))
    assert not ran.success
    assert batches == [64]
    (failed,) = [event for event in ran.all_events if event.is_step_failure]
    assert str(error) in failed.step_failure_data.user_failure_data.description
    assert str(error) in failed.step_failure_data.error.cause.message


def test_the_cause_of_an_error_counts():
    error = ValueError("the layer could not be read")
    assert not out_of_memory(error)
    error.__cause__ = torch.cuda.OutOfMemoryError("CUDA out of memory")
    assert out_of_memory(error)
