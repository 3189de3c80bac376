"""Whether the metrics can be relied on: each put to the test on pictures whose making is known."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from xai_assets.evaluation.comparison import DECIDED, INTERVAL
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
from xai_assets.evaluation.metrics import AGAINST_TRUTH, METRICS
from xai_assets.evaluation.parameters import MATTERS
from xai_assets.evaluation.placement_trials import PLACED
from xai_assets.reporting import narrative
from xai_assets.reporting.narrative import count, joined
from xai_assets.reporting.numbers import plain
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]


def trials(results: StudyResults) -> Row:
    """The chapter's data; no rows where the images are no scenes whose making is known.

    Returns:
        `rows` (one a metric and variant: `key`, `variant`, `asked`: whether the oracle was asked about; `random` and
        `ones`, the oracle less each; `methods`, their number, `above_random`, and `below_oracle` and `above_oracle`,
        those that are decided; `reading`, an answer and words; `removed`, `removed_methods` and `changed`, rank
        correlations; `placed`, the same less that of maps of other images), `sentences`, `summary` (those for the front
        page), `matters` (the least fall that counts), `images` and `grounded` (the most images of a correlation). A
        difference or correlation is a row of the table; None where there is none.
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
        "summary": [*failed(rows), *undecided(rows)],
        "matters": MATTERS,
        "images": max((row["random"]["n"] for row in rows if row["random"]), default=0),
        "grounded": max(used, default=0),
    }


def _row(table: pd.DataFrame) -> Row:
    given = [{str(name): plain(value) for name, value in row.items()} for row in table.to_dict("records")]
    order = [row for row in given if row["trial"] == ORDER]
    oracle = {row["below"]: row for row in order if row["above"] == ORACLE}
    methods = [row for row in order if row["above"] != ORACLE]
    against = [row["answer"] for name, row in oracle.items() if name not in (RANDOM, ONES)]
    use = {(row["trial"], row["over"]): row for row in given if row["trial"] != ORDER}
    found: Row = {
        "key": given[0]["metric"],
        "variant": given[0]["variant"],
        "asked": given[0]["metric"] not in AGAINST_TRUTH,
        "random": _cell(oracle.get(RANDOM)),
        "ones": _cell(oracle.get(ONES)),
        "methods": len(methods),
        "above_random": sum(row["answer"] == YES for row in methods),
        "below_oracle": against.count(YES),
        "above_oracle": against.count(NO),
        "removed": _cell(use.get((REMOVED, ALL_MAPS))),
        "removed_methods": _cell(use.get((REMOVED, METHODS))),
        "changed": _cell(use.get((CHANGED, ALL_MAPS))),
        "placed": _cell(use.get((PLACED, METHODS))),
    }
    return found | {"reading": _reading(found)}


def _cell(row: Row | None) -> Row | None:
    if row is None or row["value"] is None:
        return None
    return {"mean": row["value"]} | {name: row[name] for name in (*INTERVAL, *DECIDED)}


def _reading(row: Row) -> Row:
    """What the trials of order come to."""
    if not row["asked"]:
        return {"answer": None, "words": "not asked"}
    said = [cell["answer"] if cell else OPEN for cell in (row["random"], row["ones"])]
    if said[0] == NO:
        return {"answer": NO, "words": "ranks a random map higher"}
    if said[1] == NO:
        return {"answer": NO, "words": "rewards saying nothing"}
    return {"answer": OPEN, "words": "cannot be told"} if OPEN in said else {"answer": YES, "words": "passes"}


def failed(rows: Sequence[Row]) -> list[str]:
    """A sentence for each metric that puts what knows nothing above the oracle."""
    said = []
    for row in rows:
        if row["reading"]["answer"] != NO:
            continue
        cell, what = row["random"], "a random map"
        if cell is None or cell["answer"] != NO:
            cell, what = row["ones"], "a map that says nothing (all ones)"
        said.append(
            f"{_named(row)} fails its own test: it puts {what} above the true mask ({narrative.evidence(cell)}), so that "
            "it is not to be read alone."
        )
    return said


def undecided(rows: Sequence[Row]) -> list[str]:
    """One sentence on all metrics of which it is not shown that they put the oracle above what knows nothing."""
    unsure = [row for row in rows if row["reading"]["answer"] == OPEN]
    if not unsure:
        return []
    asked = sum(row["asked"] for row in rows)
    which = "any metric" if len(unsure) == asked else joined([_named(row) for row in unsure])
    said = f"Whether {which} puts the true mask above maps that know nothing cannot be told with "
    cells = [cell for row in unsure for cell in (row["random"], row["ones"]) if cell]
    return [f"{said}{narrative.not_enough(*cells) if cells else 'no image'}."]


def _sentences(rows: Sequence[Row]) -> list[str]:
    asked = [row for row in rows if row["asked"]]
    if not asked:
        return []
    passed = [row for row in asked if row["reading"]["answer"] == YES]
    cells = [cell for row in passed for cell in (row["random"], row["ones"])]
    said = []
    if passed:
        whole = "Every metric" if len(passed) == len(asked) else f"{len(passed)} of {len(asked)} metrics"
        verb = "puts" if whole == "Every metric" or len(passed) == 1 else "put"
        said.append(
            f"{whole} {verb} the true mask above a random map and above all ones ({narrative.evidence(*cells)})."
        )
    said += [*failed(rows), *undecided(rows)]
    if len(asked) < len(rows):
        others = joined([_named(row) for row in rows if not row["asked"]])
        said.append(
            f"Of {others} this is not asked: they are measured against that mask, and would put it first whatever they "
            "are worth."
        )
    beyond = sum(row["above_oracle"] > 0 for row in rows)
    if beyond:
        said.append(
            f"By {count(beyond, 'metric')}, some methods lie above the true mask: they follow the model more closely "
            "than the object’s outline does, for the model need not use all of the object."
        )
    return said + _of_use(asked) + _of_placement(rows)


def _of_placement(rows: Sequence[Row]) -> list[str]:
    """Whether metrics of the true mask order methods' maps by the part better than they order other images' maps."""
    tried = [row for row in rows if row["placed"]]
    if not tried:
        return []
    what = "the methods’ maps by how far they lie on the part, better than maps of other images under the same masks"
    said = []
    for answer, verb in ((YES, "puts in order"), (NO, "puts in the opposite order")):
        if found := [row for row in tried if row["placed"]["answer"] == answer]:
            verb = verb if len(found) == 1 else verb.replace("puts", "put")
            evidence = narrative.evidence(*(row["placed"] for row in found))
            said.append(
                f"Of the metrics of the true mask, {joined([_named(row) for row in found])} {verb} {what} ({evidence})."
            )
    if unsure := [row for row in tried if row["placed"]["answer"] == OPEN]:
        which = (
            "any metric of the true mask"
            if len(unsure) == len(tried)
            else joined([_named(row) for row in unsure])
        )
        verb = "puts" if len(unsure) in (1, len(tried)) else "put"
        images = narrative.not_enough(*(row["placed"] for row in unsure))
        said.append(f"Whether {which} {verb} in order {what}, cannot be told with {images}.")
    return said


def _of_use(rows: Sequence[Row]) -> list[str]:
    measured = [row for row in rows if row["removed"]]
    if not measured:
        return [
            "No picture’s answer hangs on the part that was removed, so that nothing is known of the metrics’ use."
        ]
    said = [
        _ordered(
            measured,
            "removed",
            "put maps and controls in the order of how far they lie on the part whose removal lowers the probability",
        ),
        _ordered(measured, "removed_methods", "put the methods alone in that order"),
    ]
    wrong = [
        f"{_named(row)} ({narrative.evidence(row[name])})"
        for row in measured
        for name in ("removed", "removed_methods")
        if row[name] and row[name]["answer"] == NO
    ]
    return [*said, f"The opposite order is given by {joined(wrong)}."] if wrong else said


def _ordered(rows: Sequence[Row], name: str, what: str) -> str:
    """How many of the metrics order maps as they are grounded, with what it rests on."""
    cells = [row[name] for row in rows if row[name]]
    if not cells:
        return f"Whether metrics {what} was not measured."
    shown = [row for row in rows if row[name] and row[name]["answer"] == YES]
    if not shown:
        return f"Whether metrics {what} cannot be told with {narrative.not_enough(*cells)}."
    evidence = narrative.evidence(*(row[name] for row in shown))
    return (
        f"{len(shown)} of {len(cells)} metrics {what}: {joined([_named(row) for row in shown])} ({evidence})."
    )


def _named(row: Row) -> str:
    title = METRICS[row["key"]].title
    return f"{title} ({row['variant']})" if row["variant"] else title
