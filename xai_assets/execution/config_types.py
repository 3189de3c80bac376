"""Types of fields of a run's config, which Dagster checks when a run is launched."""

from dagster._config.errors import PostProcessingError
from dagster._config.source import IntSourceType

MOST = 1024
"""More than any host has; a billion places would fill the memory before the first step."""


class _Count(IntSourceType):
    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def post_process(self, value: object) -> int:
        number = super().post_process(value)
        if not 1 <= number <= MOST:
            raise PostProcessingError(f"{self._name} is {number}; give a whole number from 1 to {MOST}.")
        return number


def count(name: str) -> IntSourceType:
    """The type of a field that counts something: a whole number from 1 to `MOST`, or the variable that has it.

    Args:
        name: of the field, for the message.
    """
    return _Count(name)
