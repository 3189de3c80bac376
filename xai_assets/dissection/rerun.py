"""Two runs of one model: same unit, same concept? And is what changed more than reruns change?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

from xai_assets.dissection.comparison import named_units
from xai_assets.dissection.labels import normalise_label

RERUN_RATE = 0.016
"""Share of units that get another word when nothing but the arithmetic changes.

Measured on the published activations of resnet18 (896 units of three layers, 1,000 images), scored in single and in half
precision (float16) under 60 random orders of equally activating images (`ties`; half precision makes many equal): 4 to
13 words change, 1.05 % on average, and 0.4, 1.6 and 0.9 % of the layers' words. The layer with the most is taken.
bfloat16 changes 3 to 5 % and is more than a rerun wherever gaps are not known.
"""

UNEXPLAINED_RATE = 0.002
"""Share of units that do so although no near-tie explains it, where gaps are known: in the 60 comparisons above, 41 of
53,760 (0.08 %), at most 2 of 896 at once, which is taken; of bfloat16 none of 53,760."""

LEVEL = 0.95
"""A rerun with these rates stays within the number of changes that is allowed in this share of cases."""

MOVEMENT_QUANTILE = 0.99
MIN_KEPT_SHARE = 0.9
MIN_KEPT_UNITS = 20
"""Fewer kept units, or a smaller share, say nothing about how far scores move by noise."""


@dataclass(frozen=True)
class RunComparison:
    """What two runs of one model say of its units.

    Attributes:
        units: units that stand for a concept in one run at least.
        same: those with the same concept in both, by `normalise_label`.
        changed: the others: layer, unit, concept_a, concept_b, gap_a, gap_b, explained (bool: a near-tie).
        counted: changes that no near-tie explains.
        allowed: changes that a rerun may show; see `compare_runs`.
        unique_a, unique_b: different concepts of each run, as spelled.
    """

    units: int
    same: int
    changed: pd.DataFrame
    counted: int
    allowed: int
    unique_a: int
    unique_b: int

    @property
    def share(self) -> float:
        """The share of units that agree, 0..1; NaN where no unit stands for a concept."""
        return self.same / self.units if self.units else float("nan")

    @property
    def beyond_noise(self) -> bool:
        """Whether more units changed than a rerun may show."""
        return self.counted > self.allowed

    @property
    def verdict(self) -> str:
        """One sentence with its numbers."""
        if not self.units:
            return "nothing to compare: no unit stands for a concept"
        explained = len(self.changed) - self.counted
        numbers = (
            f"{self.same} of {self.units} units keep their concept, {len(self.changed)} change"
            f" ({explained} by near-ties; a rerun may change {self.allowed} more)"
        )
        return f"{'changed' if self.beyond_noise else 'no change beyond noise'}: {numbers}"


def compare_runs(a: pd.DataFrame, b: pd.DataFrame) -> RunComparison:
    """Compare two runs of one model and method, unit by unit. The order of the runs does not matter.

    A change of a unit's concept is explained by a near-tie where the gaps of both runs together (best score less
    runner-up's; a gap that is not known counts as 0, two unknown ones explain nothing) are at most twice the layer's
    movement. For the best concept to change, the difference of two scores has to cross from one gap to the other, and
    it moves by at most twice what one score moves. The movement is measured: the 0.99 quantile of the change in score
    over the layer's units that kept their concept. It is 0 where fewer than 20 units or 90 % kept theirs, for then
    something else than noise moves the scores.

    The changes that are left are more than noise where they outnumber the larger of 1 (one unit is no finding) and the
    95 % quantile of a binomial distribution over all units. Its rate is what half precision changes: UNEXPLAINED_RATE for
    units whose near-ties can be told, RERUN_RATE for the others, their mean where there are both.

    Args:
        a, b: tables with layer, unit, concept; score, gap, detector where there are any. Units of pixel labels are
            compared where they are detectors in one run at least, by their best label: crossing the detectors' limit
            alone changes no concept.

    Raises:
        ValueError: the runs do not have the same layers and units, or a unit twice.
    """
    if not same_units(a, b):
        raise ValueError("the two runs do not have the same layers and units")
    both = _columns(a).join(_columns(b), lsuffix="_a", rsuffix="_b")
    both = both[both["named_a"] | both["named_b"]]
    same = both["label_a"] == both["label_b"]
    changed = both[~same]
    near, known = _near_ties(both, same)
    explained = near[~same]
    listed = changed[["concept_a", "concept_b", "gap_a", "gap_b"]].assign(explained=explained).reset_index()
    return RunComparison(
        units=len(both),
        same=int(same.sum()),
        changed=listed,
        counted=int((~explained).sum()),
        allowed=_allowed(known),
        unique_a=named_units(a)["concept"].nunique(),
        unique_b=named_units(b)["concept"].nunique(),
    )


MIN_COMMON = 0.9
"""The share of two layers' units that both have, below which they are not the same layer in two runs."""


@dataclass(frozen=True)
class Common:
    """What two runs share.

    Attributes:
        a, b: the rows of the units that both have.
        left_out: layers and units that are not compared, with the reason, a sentence each.
    """

    a: pd.DataFrame
    b: pd.DataFrame
    left_out: tuple[str, ...]


def common_units(a: pd.DataFrame, b: pd.DataFrame) -> Common | None:
    """The layers and units that two tables share, or None where they share none.

    A layer of the same name of which the two do not have mostly the same units is another layer.

    Raises:
        ValueError: a unit stands twice in one table.
    """
    first, second = _by_layer(a), _by_layer(b)
    shared: dict[str, set[int]] = {}
    left_out = []
    for layer in dict.fromkeys((*first, *second)):
        if layer not in first or layer not in second:
            side = "A" if layer in first else "B"
            left_out.append(f"{layer} is in {side} only")
            continue
        both, either = first[layer] & second[layer], first[layer] | second[layer]
        if len(both) < MIN_COMMON * len(either):
            left_out.append(
                f"{layer} has {len(first[layer])} units in A and {len(second[layer])} in B, {len(both)} of them in both"
            )
            continue
        shared[layer] = both
        for side, missing in (("A", first[layer] - both), ("B", second[layer] - both)):
            if missing:
                left_out.append(f"{layer}: {len(missing)} units are in {side} only, such as {min(missing)}")
    if not shared:
        return None
    kept = [
        table[
            [
                int(unit) in shared.get(str(layer), ())
                for layer, unit in zip(table["layer"], table["unit"], strict=True)
            ]
        ]
        for table in (a, b)
    ]
    return Common(kept[0], kept[1], tuple(left_out))


def _by_layer(table: pd.DataFrame) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for layer, unit in zip(table["layer"].astype(str), table["unit"].astype(int), strict=True):
        units = found.setdefault(layer, set())
        if unit in units:
            raise ValueError("a unit stands twice in one run")
        units.add(unit)
    return found


def same_units(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """Whether two tables are of the same layers and units, each once, in any order."""
    keys = [table[["layer", "unit"]].astype({"layer": str, "unit": int}) for table in (a, b)]
    if any(key.duplicated().any() for key in keys):
        raise ValueError("a unit stands twice in one run")
    first, second = (set(key.itertuples(index=False, name=None)) for key in keys)
    return first == second


def _columns(table: pd.DataFrame) -> pd.DataFrame:
    table = table.reset_index(drop=True)
    keys = [table["layer"].astype(str), table["unit"].astype(int)]
    concepts = [None if pd.isna(concept) else str(concept) for concept in table["concept"]]
    found = pd.DataFrame(
        {
            "concept": pd.Series(concepts, dtype=object),
            # "" is no label: a unit without a concept in both runs agrees, but is not compared
            "label": ["" if concept is None else normalise_label(concept) for concept in concepts],
            "named": table.index.isin(named_units(table).index),
            **{
                name: pd.to_numeric(table[name]).to_numpy(float, na_value=np.nan)
                if name in table
                else np.full(len(table), np.nan)
                for name in ("score", "gap")
            },
        }
    )
    return found.set_index(pd.MultiIndex.from_arrays(keys, names=["layer", "unit"])).sort_index()


def _allowed(known: pd.Series) -> int:
    """How many changes a rerun may show that no near-tie explains; `known`: of these units near-ties can be told."""
    if not len(known):
        return 1
    rate = float(np.where(known, UNEXPLAINED_RATE, RERUN_RATE).mean())
    return max(1, int(binom.ppf(LEVEL, len(known), rate)))


def _near_ties(both: pd.DataFrame, same: pd.Series) -> tuple[pd.Series, pd.Series]:
    """bool a unit: a change of it would be a near-tie; and whether that can be told of it at all."""
    moved = (both["score_a"] - both["score_b"]).abs()
    gaps = both[["gap_a", "gap_b"]]
    near = gaps.fillna(0).sum(axis=1)
    explained, measured = (pd.Series(False, index=both.index) for _ in range(2))
    for _, rows in both.groupby(level="layer").groups.items():
        kept = moved[rows][same[rows]].dropna()
        enough = len(kept) >= MIN_KEPT_UNITS and same[rows].mean() >= MIN_KEPT_SHARE
        movement = np.quantile(kept, MOVEMENT_QUANTILE, method="higher") if enough else 0.0
        explained[rows] = near[rows] <= 2 * movement
        measured[rows] = enough
    known = gaps.notna().any(axis=1)
    return explained & known, measured & known
