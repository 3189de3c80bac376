"""The version of the warehouse's tables, and how an older file is brought to it without losing a row.

`bring_up_to_date` gives every table the columns that are declared today, as small changes of the table that is there:
its rows, and the columns, indexes and views that people added, stay. What a change cannot say by itself is declared
here, in `FILLS`, `RENAMED` and `CARRIED`. Raise `VERSION` with every change of a declaration that an older code should
not write into.
"""

from dataclasses import dataclass

VERSION = 2
"""Of the tables. A file without the table `xai_schema` is of version 0: whatever was before versions were kept."""

HISTORY = "xai_schema"
"""The table of the versions that a file has had."""


@dataclass(frozen=True)
class Carried:
    """Rows of a table that is no more, which now belong to another.

    Attributes:
        into: the table that takes them.
        values: SQL by column of `into`, from the older table's columns; columns of one name go as they are.
        match: columns of `into` that say whether a study's rows are there already, and are not carried again.
    """

    into: str
    values: dict[str, str]
    match: tuple[str, ...] = ("study",)


FILLS: dict[tuple[str, str], str] = {
    # Before there were several truths, the one was the explained object. Rows that this would make equal are not from
    # that time, and stay NULL.
    (
        "localization",
        "truth",
    ): "CASE WHEN count(*) OVER (PARTITION BY study, image_id, target_index, method) = 1 THEN 'object' END",
    # The first counterfactuals had no controls.
    ("counterfactuals", "is_control"): "method IN ('centre', 'edges', 'random', 'ones', 'oracle')",
}
"""SQL for a column's value in rows that are older than the column, by table and column; without one it is NULL."""

RENAMED: dict[str, dict[str, str]] = {
    "metric_trials": {"verdict": "answer"},
    # What was called chance was the share of all images that show the word: its base rate.
    "unit_concepts": {"chance_presence": "base_rate"},
    "layer_summary": {"chance_presence": "base_rate"},
}
"""New names of columns by table: older name to newer."""

CARRIED: dict[str, Carried] = {
    "clip_dissect": Carried(
        "unit_concepts",
        {"method": "'clip_dissect'", "source": "'computed'", "score_name": "'soft_wpmi'"},
        ("study", "method"),
    ),
    "netdissect": Carried(
        "unit_concepts",
        {"method": "'netdissect'", "source": "'computed'", "score": "iou", "score_name": "'iou'"},
        ("study", "method"),
    ),
}
"""Tables of earlier versions, most of which are views now, and where their rows go."""
