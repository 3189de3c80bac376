"""What a report says of intervals that are of few values: they cover skewed ones less often than they say."""

from collections.abc import Iterator
from typing import Any

from xai_assets.evaluation.intervals import FEWEST, TRUSTED


def few_values(content: Any) -> list[str]:
    """What a report says where it has intervals of fewer than TRUSTED values; nothing where it has none.

    Args:
        content: the report's content: its intervals have `mean`, `low`, `high` and `n`; those that are `exact` cover at
            every n.
    """
    counts = [int(of["n"]) for of in intervals(content) if of["low"] is not None and not of.get("exact")]
    counts = [n for n in counts if FEWEST <= n < TRUSTED]
    if not counts:
        return []
    return [
        f"Some 95% intervals here are of {min(counts)} images or words: where so few values are strongly skewed, such an "
        "interval holds the true value 8 to 9 times in 10 (see Interval)."
    ]


def intervals(content: Any) -> Iterator[dict[str, Any]]:
    """Everything in a report's content that has a mean and an interval, or None for its ends."""
    if isinstance(content, dict):
        if {"mean", "low", "high", "n"} <= content.keys():
            yield content
        for value in content.values():
            yield from intervals(value)
    elif isinstance(content, list):
        for value in content:
            yield from intervals(value)
