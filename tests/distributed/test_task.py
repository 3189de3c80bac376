"""A message begins its step at most twice, the second time as a retry, and not at all where its run is over."""

import signal
from types import SimpleNamespace

import dagster as dg
import pytest
from celery.exceptions import TaskRevokedError
from dagster._core.execution.plan.state import KnownExecutionState
from dagster._grpc.types import ExecuteStepArgs
from dagster._utils.interrupts import capture_interrupts
from dagster_shared.serdes import deserialize_value

from tests.distributed import graph
from xai_assets.automation.partitions import studies
from xai_assets.execution.distributed.executor import Outcome
from xai_assets.execution.distributed.task import DELIVERY, StepRefused, admit, signals_restored


@pytest.fixture
def instance():
    with dg.instance_for_test() as kept:
        yield kept


@pytest.fixture
def asked(instance):
    job = dg.reconstructable(graph.queues_job)
    run = instance.create_run_for_job(job.get_definition())
    known = KnownExecutionState(previous_retry_attempts={"net": 1, "other": 2})
    return ExecuteStepArgs(job.get_python_origin(), run.run_id, ["net"], known_state=known)


def test_the_first_delivery_is_the_step_as_it_was_asked_for(instance, asked):
    admitted = admit(instance, asked, "m", "one@host")
    assert admitted.known_state == asked.known_state
    (record,) = instance.all_logs(asked.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    assert record.step_key == "net" and 'Step "net" came to one@host.' in record.message
    assert record.dagster_event.engine_event_data.metadata[DELIVERY].value == "m"


def test_the_second_is_a_retry_and_the_third_is_refused_with_names_and_remedy(instance, asked):
    admit(instance, asked, "m", "one@host")
    again = admit(instance, asked, "m", "other@host")
    assert again.known_state.previous_retry_attempts == {"net": 2, "other": 2}
    with pytest.raises(StepRefused, match=r"died 2 times, on one@host, other@host\. See what ended it"):
        admit(instance, asked, "m", "third@host")


def test_another_message_of_the_same_step_counts_by_itself(instance, asked):
    admit(instance, asked, "m", "one@host")
    admit(instance, asked, "m", "one@host")
    assert admit(instance, asked, "n", "one@host").known_state == asked.known_state


@pytest.mark.parametrize("end", ["report_run_failed", "report_run_canceled", "report_run_canceling"])
def test_a_step_of_a_run_that_is_over_is_not_begun(instance, asked, end):
    getattr(instance, end)(instance.get_run_by_id(asked.run_id))
    assert admit(instance, asked, "m", "one@host") is None


def test_a_run_of_another_storage_is_named_with_the_remedy(instance, asked):
    with dg.DagsterInstance.ephemeral() as other, pytest.raises(StepRefused, match="the same PostgreSQL"):
        admit(other, asked, "m", "one@host")


class Answer:
    state = "FAILURE"

    def __init__(self, error):
        self.error = error

    def ready(self):
        return self.state == "FAILURE"

    def revoke(self):
        pass

    def get(self):
        raise self.error


def failure(error, instance):
    """What the loop is given for a step whose worker answered with `error`."""
    found = []

    @dg.op
    def net(context):
        found.extend(Outcome(Answer(error), context.get_step_execution_context()).get())

    dg.GraphDefinition("graph", node_defs=[net]).to_job().execute_in_process(instance=instance)
    (event,) = [deserialize_value(text, dg.DagsterEvent) for text in found]
    assert event.is_step_failure and event.step_key == "net"
    return event.step_failure_data.error


@pytest.mark.parametrize("name", ["added-later", "../no-name"])
def test_a_study_that_was_added_since_the_worker_started_is_known(instance, name):
    run = instance.create_run_for_job(graph.queues_job(), tags={"dagster/partition": name})
    origin = dg.reconstructable(graph.queues_job).get_python_origin()
    admit(instance, ExecuteStepArgs(origin, run.run_id, ["net"]), "m", "one@host")
    only = dg.PartitionKeyRange(name, name)
    if name == "added-later":
        assert studies.get_partition_keys_in_range(only) == [name]
        assert studies.get_partition_keys().count(name) == 1
    else:
        assert name not in studies.get_partition_keys()


def test_after_a_step_sigterm_is_the_workers_again():
    def ends_warm(number, frame):
        raise AssertionError

    before = signal.signal(signal.SIGTERM, ends_warm)
    try:
        with signals_restored(), capture_interrupts():
            assert signal.getsignal(signal.SIGTERM) is not ends_warm
        assert signal.getsignal(signal.SIGTERM) is ends_warm
    finally:
        signal.signal(signal.SIGTERM, before)


def test_any_error_of_a_worker_is_the_failure_of_its_step(instance):
    refused = failure(StepRefused("its worker died"), instance)
    assert (refused.message, refused.stack) == ("its worker died\n", [])
    other = failure(ModuleNotFoundError("no module named mine"), instance)
    assert "no module named mine" in other.message and other.stack


def test_a_step_that_was_taken_out_of_its_queue_has_not_failed():
    with pytest.raises(TaskRevokedError):
        Outcome(Answer(TaskRevokedError("revoked")), None).get()


@pytest.mark.parametrize(("state", "waits"), [("PENDING", False), ("STARTED", True)])
def test_a_stopped_run_waits_for_a_step_that_has_begun_and_for_no_other(state, waits):
    answer = Answer(None)
    answer.state = state
    outcome = Outcome(answer, SimpleNamespace(step=SimpleNamespace(key="net")))
    assert not outcome.ready()
    outcome.revoke()
    assert outcome.ready() is not waits
    if not waits:
        with pytest.raises(TaskRevokedError, match="net"):
            outcome.get()
