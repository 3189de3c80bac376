"""Progress of long work: a step says how far it is, and whoever runs it decides how that is shown."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the number of items done and the number of items in all."""


def silent(done: int, total: int) -> None:
    """Progress that nobody watches."""
