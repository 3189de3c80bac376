"""An executor that does something around another one."""

from dagster._core.execution.retries import RetryMode
from dagster._core.execution.step_dependency_config import StepDependencyConfig
from dagster._core.executor.base import Executor


class Around(Executor):
    """To Dagster what `executor` is; what happens around it is for `execute` of a subclass."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    @property
    def retries(self) -> RetryMode:
        """As the executor's."""
        return self._executor.retries

    @property
    def step_dependency_config(self) -> StepDependencyConfig:
        """As the executor's."""
        return self._executor.step_dependency_config
