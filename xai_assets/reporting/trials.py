"""Whether the metrics can be relied on: each put to the test on pictures whose making is known."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from xai_assets.evaluation.controls import ONES, ORACLE
from xai_assets.evaluation.metric_trials import (
    ALL_MAPS,
    CHANGED,
    METHODS,
    NO,
    OPEN,
    ORDER,
    RANDOM,
    REMOVED,
    YES,
)
from xai_assets.evaluation.metrics import METRICS
from xai_assets.evaluation.parameters import MATTERS
from xai_assets.reporting.narrative import count, joined
from xai_assets.reporting.numbers import plain
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]


def trials(results: StudyResults) -> Row:
    """The chapter's data; no rows where the images are no scenes whose making is known.

    Returns:
        `rows` (one a metric and variant: `key`, `variant`, `random` and `ones`, the oracle less each; `methods`, how many
        there are, `above_random`, and `below_oracle` and `above_oracle`, those that are told apart; `reading`, a verdict
        and words; `removed`, `removed_methods` and `changed`, rank correlations), `sentences`, `failed` (a sentence each
        metric that fails), `matters` (the least fall that counts), `images` and `grounded` (the most images of a
        correlation). A difference or correlation has mean, low, high, n and verdict; None where there is none.
    """
    table = results.metric_trials
    rows = (
        [_row(part) for _, part in table.groupby(["metric", "variant"], sort=False, dropna=False)]
        if len(table)
        else []
    )
    used = [row["removed"]["n"] for row in rows if row["removed"]]
    return {
        "rows": rows,
        "sentences": _sentences(rows),
        "failed": failed(rows),
        "matters": MATTERS,
        "images": max((row["random"]["n"] for row in rows if row["random"]), default=0),
        "grounded": max(used, default=0),
    }


def _row(table: pd.DataFrame) -> Row:
    given = [{str(name): plain(value) for name, value in row.items()} for row in table.to_dict("records")]
    order = [row for row in given if row["trial"] == ORDER]
    oracle = {row["below"]: row for row in order if row["above"] == ORACLE}
    methods = [row for row in order if row["above"] != ORACLE]
    against = [row["verdict"] for name, row in oracle.items() if name not in (RANDOM, ONES)]
    use = {(row["trial"], row["over"]): row for row in given if row["trial"] != ORDER}
    found: Row = {
        "key": given[0]["metric"],
        "variant": given[0]["variant"],
        "random": _cell(oracle.get(RANDOM)),
        "ones": _cell(oracle.get(ONES)),
        "methods": len(methods),
        "above_random": sum(row["verdict"] == YES for row in methods),
        "below_oracle": against.count(YES),
        "above_oracle": against.count(NO),
        "removed": _cell(use.get((REMOVED, ALL_MAPS))),
        "removed_methods": _cell(use.get((REMOVED, METHODS))),
        "changed": _cell(use.get((CHANGED, ALL_MAPS))),
    }
    return found | {"reading": _reading(found)}


def _cell(row: Row | None) -> Row | None:
    if row is None or row["value"] is None:
        return None
    return {"mean": row["value"]} | {name: row[name] for name in ("low", "high", "n", "excluded", "verdict")}


def _reading(row: Row) -> Row:
    """What the trials of order come to."""
    said = [cell["verdict"] if cell else OPEN for cell in (row["random"], row["ones"])]
    if said[0] == NO:
        return {"verdict": NO, "words": "ranks a random map higher"}
    if said[1] == NO:
        return {"verdict": NO, "words": "rewards saying nothing"}
    return {"verdict": OPEN, "words": "cannot tell"} if OPEN in said else {"verdict": YES, "words": "passes"}


def failed(rows: Sequence[Row]) -> list[str]:
    """A sentence for each metric that does not put the oracle above what knows nothing."""
    said = []
    for row in rows:
        if row["reading"]["verdict"] == YES:
            continue
        cell, what = row["random"], "a random map"
        if cell and cell["verdict"] == YES:
            cell, what = row["ones"], "a map that says nothing (all ones)"
        images = count(cell["n"], "image") if cell else "no image"
        if cell and cell["verdict"] == NO:
            ending = f"it puts {what} above the true mask, so that it is not to be read alone"
        else:
            ending = f"whether it puts the true mask above {what} cannot be told with {images}"
        said.append(f"{_named(row)} fails its own test: {ending}.")
    return said


def _sentences(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    passed = [row for row in rows if row["reading"]["verdict"] == YES]
    whole = "Every metric puts" if len(passed) == len(rows) else f"{len(passed)} of {len(rows)} metrics put"
    said = [f"{whole} the true mask above a random map and above all ones.", *failed(rows)]
    beyond = sum(row["above_oracle"] > 0 for row in rows)
    if beyond:
        said.append(
            f"By {count(beyond, 'metric')}, some methods lie above the true mask: they follow the model more closely "
            "than the object’s outline does, for the model need not use all of the object."
        )
    return said + _of_use(rows)


def _of_use(rows: Sequence[Row]) -> list[str]:
    measured = [row for row in rows if row["removed"]]
    if not measured:
        return [
            "No picture’s answer hangs on the part that was removed, so that nothing is known of the metrics’ use."
        ]
    with_controls = [row for row in measured if row["removed"]["verdict"] == YES]
    alone = [row for row in measured if row["removed_methods"] and row["removed_methods"]["verdict"] == YES]
    wrong = [
        _named(row)
        for row in measured
        if any(row[name] and row[name]["verdict"] == NO for name in ("removed", "removed_methods"))
    ]
    said = [
        f"{len(with_controls)} of {len(rows)} metrics put maps and controls in the order of how far they lie on the part "
        "whose removal lowers the probability."
    ]
    if alone:
        said.append(
            f"Among the methods alone, {joined([_named(row) for row in alone])} {'does' if len(alone) == 1 else 'do'}."
        )
    else:
        said.append(
            "Among the methods alone, none is shown to: which of two good methods is better, they do not tell here."
        )
    if wrong:
        said.append(f"The opposite order is given by {joined(wrong)}.")
    return said


def _named(row: Row) -> str:
    title = METRICS[row["key"]].title
    return f"{title} ({row['variant']})" if row["variant"] else title
