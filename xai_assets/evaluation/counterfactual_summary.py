"""What scenes with one thing changed come to: how far the probability falls, and how much of each map lies on the change.

An image is the unit. Whether a change lowers the probability is asked of all changes together (one family), and whether
a method's maps lie on what does so more than an even map is asked of all methods together; see `evaluation.decision`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.evaluation.comparison import DECIDED, INTERVAL, interval_columns
from xai_assets.evaluation.decision import decide
from xai_assets.evaluation.intervals import Bounds, mean_interval
from xai_assets.evaluation.paired_tests import sign_flip_p
from xai_assets.evaluation.parameters import MATTERS

FALL, ENERGY, ENERGY_THAT_COUNTS = "fall", "energy", "energy_that_counts"

COLUMNS = ("measure", "change", "method", "is_control", "mean", *INTERVAL, "reference", *DECIDED)

Row = dict[str, Any]


def counterfactual_summary(
    counterfactuals: pd.DataFrame, *, matters: float = MATTERS, seed: int = 0
) -> pd.DataFrame:
    """Means over images of the table `counterfactuals`, with intervals and decisions.

    Args:
        counterfactuals: image_id, change, method, is_control, fall, area and energy (None: the map shows nothing).
        matters: the least fall that counts.
        seed: of drawn sign patterns.

    Returns:
        COLUMNS, by `measure`:
        `fall`: one row a change; `reference` is 0. Tested: is the mean fall 0?
        `energy`: one row a change and method; `reference` is the mean share of the frame that the change alters, over
        the same images: the energy of an even map. Not tested.
        `energy_that_counts`: one row a method, over all changes that lower the probability by `matters` or more; an
        image's changes are averaged first. Tested for methods: is the mean of energy less the share of the frame 0?
    """
    if not len(counterfactuals):
        return pd.DataFrame(columns=list(COLUMNS))
    given = counterfactuals.astype({"fall": "float64", "area": "float64", "energy": "float64"})
    falls = list(_falls(given, seed))
    energies = [
        row
        for change, of in given.groupby("change", sort=False)
        for row in _energies(of, {"measure": ENERGY, "change": change}, seed)
    ]
    counting = given[given["fall"] >= matters]
    that_count = list(_energies(counting, {"measure": ENERGY_THAT_COUNTS, "change": None}, seed))
    methods = [row for row in that_count if not row["is_control"]]
    for family in (falls, methods):
        _decide(family)
    for row in (*energies, *(row for row in that_count if row["is_control"])):
        row |= dict.fromkeys(DECIDED)
    return pd.DataFrame([*falls, *energies, *that_count], columns=list(COLUMNS))


def _falls(table: pd.DataFrame, seed: int) -> Iterator[Row]:
    # The fall is the model's, whatever the method.
    once = table.drop_duplicates(["image_id", "target_index", "change"])
    for change, of in once.groupby("change", sort=False):
        values = of.groupby("image_id", sort=False)["fall"].mean().to_numpy()
        named = {"measure": FALL, "change": change, "method": None, "is_control": None}
        yield named | _row(values, np.zeros(len(values)), (-1.0, 1.0), seed)


def _energies(table: pd.DataFrame, named: Row, seed: int) -> Iterator[Row]:
    for (method, is_control), of in table.groupby(["method", "is_control"], sort=False):
        measured = of[of["energy"].notna()]
        by_image = measured.groupby("image_id", sort=False)[["energy", "area"]].mean()
        excluded = of["image_id"].nunique() - len(by_image)
        row = _row(by_image["energy"].to_numpy(), by_image["area"].to_numpy(), (0.0, 1.0), seed)
        yield named | {"method": method, "is_control": bool(is_control)} | row | {"excluded": excluded}


def _row(values: np.ndarray, reference: np.ndarray, bounds: Bounds, seed: int) -> Row:
    """Mean, interval and reference of values that are one an image, and the test of their difference."""
    found = mean_interval(values, bounds=bounds)
    return {
        "mean": found.mean,
        **interval_columns(found),
        "reference": float(reference.mean()) if len(reference) else None,
        "p": sign_flip_p(values - reference, seed=seed),
    }


def _decide(family: Sequence[Row]) -> None:
    differences = [None if row["mean"] is None else row["mean"] - row["reference"] for row in family]
    for row, decision in zip(family, decide(differences, [row["p"] for row in family]), strict=True):
        row |= asdict(decision) | {"answer": decision.answer.value}
