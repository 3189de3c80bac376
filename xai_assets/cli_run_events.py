"""The events of a run, as `xai run` shows them: steps that begin and end, checks, and why something failed."""

from collections.abc import Iterator
from pathlib import Path

from dagster import AssetCheckEvaluation, DagsterEvent
from dagster._utils.error import SerializableErrorInfo

from xai_assets.cli_progress import Steps
from xai_assets.error_text import cause_in_short, system_error, with_cause
from xai_assets.execution.gpu_tagged import SAID

QUEUED = "celery_queue_wait"
"""How dagster-celery marks the event that says that a step has gone to its queue."""

INTERRUPTED = {"DagsterExecutionInterruptedError", "KeyboardInterrupt"}
CRASHED = "ChildProcessCrashException"
CHECK_FAILED = "DagsterAssetCheckFailedError"
OURS = "xai_assets."
"""How Dagster's text of an exception of ours begins: with its module."""


class Watched:
    """What the events of one run have said so far.

    Attributes:
        failures: of steps and of the run.
        checks: every check that was made, in order.
        began: whether a step has begun.
    """

    def __init__(self, steps: Steps, data: Path) -> None:
        self._steps, self._data = steps, data
        self.failures: list[DagsterEvent] = []
        self.checks: list[AssetCheckEvaluation] = []
        self.began = False
        self._crashes: dict[str, str] = {}

    def take(self, event: DagsterEvent) -> None:
        """Show an event, and keep what is said at the end."""
        steps, step = self._steps, str(event.step_key)
        kind = event.event_type_value
        if event.is_engine_event and SAID in event.engine_event_data.metadata:
            steps.say(event.message or "")
        elif event.is_engine_event and event.engine_event_data.error is not None and event.step_key:
            if event.engine_event_data.error.cls_name == CRASHED:
                self._crashes[step] = event.message or ""
        elif kind in ("STEP_WORKER_STARTED", "STEP_START", "STEP_RESTARTED") or (
            event.is_engine_event and event.engine_event_data.marker_start == QUEUED
        ):
            self.began = True
            steps.begin(step)
        elif event.is_step_materialization:
            from xai_assets.analysis.workbench import COST, MADE_AGAIN

            for line in _entry(event, MADE_AGAIN):
                steps.say(f"{step}: made again: {line}")
            for line in _entry(event, COST):
                steps.say(line)
        elif event.is_step_success:
            steps.end(step)
        elif event.is_step_up_for_retry:
            again = "is tried again, in half-sized batches"
            steps.end(step, "stopped" if _interrupted(event.step_retry_data.error) else again)
        elif event.is_step_skipped:
            steps.leave_out(step)
        elif event.is_step_failure:
            steps.end(step, "stopped" if _interrupted(event.step_failure_data.error) else "failed")
        elif kind == "ASSET_CHECK_EVALUATION":
            self.checks.append(event.asset_check_evaluation_data)
        if event.is_failure:
            self.failures.append(event)

    def reasons(self) -> list[str]:
        """A line for each step that failed, or for the run where it failed by itself."""
        steps = [event for event in self.failures if event.is_step_failure]
        if steps:
            lines = [
                f"{event.step_key} failed: {self._reason(event.step_failure_data.error, str(event.step_key))}"
                for event in steps
            ]
            return list(dict.fromkeys(lines))
        return [
            self._reason(event.job_failure_data.error, "")
            if self.ours(event.job_failure_data.error)
            else f"The run failed: {self._reason(event.job_failure_data.error, '')}"
            for event in self.failures
            if event.is_run_failure
        ]

    def tracebacks(self) -> list[str]:
        """The whole errors, for whoever looks for a fault in the code."""
        errors = [
            event.step_failure_data.error if event.is_step_failure else event.job_failure_data.error
            for event in self.failures
        ]
        return [error.to_string() for error in errors if error is not None]

    @property
    def refused(self) -> bool:
        """Whether the run failed before any step began, for a reason of ours: something was wrong or missing."""
        runs = [event for event in self.failures if event.is_run_failure]
        return not self.began and any(self.ours(event.job_failure_data.error) for event in runs)

    @staticmethod
    def ours(error: SerializableErrorInfo | None) -> bool:
        """Whether one of our own errors is in the chain."""
        return any(cause.message.startswith(OURS) for cause in _chain(error))

    def _reason(self, error: SerializableErrorInfo | None, step: str) -> str:
        chain = list(_chain(error))
        if not chain:
            return "no reason was given."
        innermost = chain[-1]
        if innermost.cls_name == CRASHED:
            crash = self._crashes.get(step, "").rpartition(": ")[2].rstrip(".") or "its process ended"
            return f"{crash}. Most often memory was not enough: end what else runs, or choose a smaller batch_size."
        if innermost.cls_name == CHECK_FAILED:
            names = [line.strip() for line in innermost.message.splitlines()[1:] if line.strip()]
            return f"what would be built on it is not made, since it fails {'; '.join(names) or 'a check'}."
        for cause in chain:
            if cause.message.startswith(OURS):
                return with_cause(_said(cause), "" if cause is innermost else _with_class(innermost))
        known = system_error(_with_class(innermost), self._data)
        if known is not None:
            return str(known)
        return cause_in_short(_with_class(innermost))


def _entry(event: DagsterEvent, name: str) -> list[str]:
    """The lines of an entry of a step's metadata: results that it found damaged, or what is to come."""
    found = event.step_materialization_data.materialization.metadata.get(name)
    return [] if found is None else str(found.value).splitlines()


def _chain(error: SerializableErrorInfo | None) -> Iterator[SerializableErrorInfo]:
    """The error and its causes, outermost first."""
    while error is not None:
        yield error
        error = error.cause


def _interrupted(error: SerializableErrorInfo | None) -> bool:
    return any(cause.cls_name in INTERRUPTED for cause in _chain(error))


def _said(error: SerializableErrorInfo) -> str:
    """The message without the class, on one line."""
    return " ".join(error.message.partition(": ")[2].split())


def _with_class(error: SerializableErrorInfo) -> str:
    said = _said(error)
    return f"{error.cls_name}: {said}" if said else str(error.cls_name)
