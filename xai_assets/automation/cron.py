"""Cron expressions: whether one fires at all, and how long it waits between two ticks."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise

from dagster import DagsterError
from dagster._check import CheckError
from dagster._utils.schedules import cron_string_iterator, is_valid_cron_schedule

TICKS_LOOKED_AT = 400
"""Enough ticks to find the longest time between two of a cron expression: a year of daily ones."""

_YEARS = 9
"""29 February comes within 8 years."""


def cron_problem(cron: str, timezone: str = "UTC") -> str | None:
    """What is wrong with a schedule, and what to write instead; None where it fires."""
    if not is_valid_cron_schedule(cron):
        return (
            f"schedule: {cron!r} is no cron expression; write five fields, minute, hour, day, month and day of the week, "
            "such as 0 3 * * *"
        )
    if not ticks(cron, timezone):
        return f"schedule: {cron!r} never fires: no month has such a day; write one that exists, such as 0 3 1 * *"
    return None


def ticks(cron: str, timezone: str = "UTC") -> Sequence[datetime]:
    """The next ticks, at most `TICKS_LOOKED_AT`; none where it never fires, or not within the next years."""
    now = time.time()
    return _ticks(cron, timezone, now - now % 3600)


@lru_cache(maxsize=256)
def _ticks(cron: str, timezone: str, start: float) -> Sequence[datetime]:
    try:
        found = list(islice(cron_string_iterator(start, cron, timezone), TICKS_LOOKED_AT))
    # The same iterator tells Dagster when to tick: what it cannot iterate over is no schedule.
    except (ValueError, ArithmeticError, LookupError, TypeError, DagsterError, CheckError):
        return ()
    soon = found and found[0].timestamp() - start < _YEARS * 366 * 86_400
    return tuple(found) if soon else ()


def longest_wait(cron: str, timezone: str = "UTC") -> timedelta:
    """The longest time between two ticks: over a weekend, say, nothing is late that runs on working days."""
    return max(after - before for before, after in pairwise(ticks(cron, timezone)))


def shortest_wait(cron: str, timezone: str = "UTC") -> timedelta:
    """The shortest time between two ticks."""
    return min(after - before for before, after in pairwise(ticks(cron, timezone)))
