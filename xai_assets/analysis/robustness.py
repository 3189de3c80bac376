"""Robustness of a study's maps: on a few cases, for each of them costs several maps of every method."""

from typing import Any

import numpy as np
import pandas as pd

from xai_assets.analysis.budget import LEFT_OUT, Budget, left_out_row, measured
from xai_assets.analysis.explained_cases import ExplainedCase, ExplainedCases, refuse_nothing
from xai_assets.analysis.explanations import read_map
from xai_assets.analysis.kept_numbers import KeptNumbers, NotKept
from xai_assets.analysis.lime_reruns import LimeReruns
from xai_assets.analysis.map_reruns import MapReruns
from xai_assets.analysis.predictions import explained_classifier
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.maps import AttributionMap
from xai_assets.attribution.parameters import is_external
from xai_assets.errors import XaiError
from xai_assets.evaluation.controls import every_control
from xai_assets.evaluation.parameters import Robustness
from xai_assets.evaluation.randomisation import chance_similarity, similarity, smooth_noise, veto_table
from xai_assets.evaluation.ranking import RankedMaps
from xai_assets.evaluation.sensitivity import largest_change, max_sensitivity, redrawn
from xai_assets.resources.store import ArtifactError
from xai_assets.resources.tables import TABLES

WHOLE = 1.0
"""The depth at which all layers are random."""

FAST_PASSES = 160
"""That a map of ScoreCAM's fast mode takes, on the safe side."""

OTHERS = 1
"""Cases of other images whose maps say how far one would move if it were drawn anew: the next one of the study. Every
image has another one, so that without an effect what moved and what drawing anew moves can change places; with the same
eleven maps for all, 12 % of 30 images' methods were decided without an effect, with eleven of their own 7 %."""

CALIBRATION = 32
"""Images that statistics of batch normalisation are measured on: of the study's explained ones, evenly spaced."""


def robustness(bench: Workbench, maps: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """One row a case, method or control, and metric, as the warehouse's table `robustness`.

    The cases are evenly spaced; all results are kept by all that made them. A case and method that cannot be
    measured is left out, named in the tally, and does not stop the others. Where the budget is used up, a map has one
    row, which says so in the column `left_out`: methods whose maps took less come first.
    """
    columns = [*TABLES["robustness"].columns, LEFT_OUT]
    parameters = bench.attribution.robustness
    if parameters is not None and len(maps):
        maps = _that_can_be_made_again(bench, maps)
    if parameters is None or not len(maps):
        return pd.DataFrame(columns=columns)
    budget = Budget(parameters.budget)
    cases = ExplainedCases(bench, maps, predictions)
    work = _Work(bench, parameters, cases, maps)
    chosen = cases.spread(parameters.cases)
    found: dict[tuple[int, str], list[dict[str, Any]]] = {}
    total = sum(len(cases.rows_of(number)) for number in chosen)
    for method in cheapest_first(maps):
        for number in chosen:
            for row in (row for row in cases.rows_of(number) if row["method"] == method):
                case = cases[number]
                try:
                    found[number, method] = work.within(budget, case, row)
                except ArtifactError:
                    raise  # no fault of the image: whatever made it makes it again
                except XaiError as error:
                    bench.tally.leave_out("maps", f"{method} of {case.named}", str(error))
                    found[number, method] = []
                bench.progress(len(found), total)
    rows: list[dict[str, Any]] = []
    for number in chosen:
        case = cases[number]
        for row in case.rows:
            rows += found[number, row["method"]]
        for name in case.controls:
            rows += work.control(case, name)
    if any(row.get("mode") == "fast" for row in rows):
        bench.tally.facts.append(
            "scorecam: compared are maps in fast mode, of the view as it is, under noise and of randomised networks"
        )
    refuse_nothing(bench, "robustness", [row for row in rows if not row["is_control"]])
    return pd.DataFrame(rows, columns=columns)


def seconds_of(maps: pd.DataFrame) -> pd.Series:
    """By method, what a map took: the median over images of its longest, for further maps of an image cost less."""
    taken = maps.assign(seconds=maps["seconds"].astype("float64"))
    of_images = taken.groupby(["method", "image_id"], sort=False)["seconds"].max()
    return of_images.groupby(level="method", sort=False).median().fillna(0.0)


def cheapest_first(maps: pd.DataFrame) -> list[str]:
    """The methods of a table of maps by what a map took, the cheapest first."""
    return [str(method) for method in seconds_of(maps).sort_values(kind="stable").index]


def _that_can_be_made_again(bench: Workbench, maps: pd.DataFrame) -> pd.DataFrame:
    """The rows of the table `maps` but those of other tools."""
    external = maps["method"].map(is_external).astype(bool)
    if external.any():
        asked = ", ".join(dict.fromkeys(maps.loc[external, "method"]))
        bench.tally.facts.append(f"not asked of {asked}: maps of another tool cannot be made again")
    return maps[~external]


def randomisation_veto(bench: Workbench, table: pd.DataFrame) -> pd.DataFrame:
    """Which methods' maps outlive the model, from the table `robustness`, as the table `randomisation_veto`."""
    columns = list(TABLES["randomisation_veto"].columns)
    parameters = bench.attribution.robustness
    table = measured(table)
    if parameters is None or not len(table):
        return pd.DataFrame(columns=columns)
    whole = table[(table["metric"] == "randomisation_similarity") & (table["depth"] == WHOLE)]
    return veto_table(whole, above=parameters.veto_above)


class _Work:
    """What is prepared once for all cases and methods."""

    def __init__(
        self, bench: Workbench, parameters: Robustness, cases: ExplainedCases, maps: pd.DataFrame
    ) -> None:
        classifier = explained_classifier(bench)
        self._bench, self._parameters = bench, parameters
        self._kept = KeptNumbers(bench)
        self._lime = LimeReruns(bench, classifier, parameters, self._kept)
        self._reruns = MapReruns(
            bench, classifier, parameters, self._lime, self._kept, cases.views(CALIBRATION)
        )
        self._seconds = seconds_of(maps)
        self._noise: dict[tuple[int, ...], RankedMaps] = {}
        self._cases = cases
        self._maps: dict[int, dict[str, np.ndarray]] = {}

    def within(self, budget: Budget, case: ExplainedCase, row: dict[str, Any]) -> list[dict[str, Any]]:
        """The rows of a method, or the one that says that it was left out."""
        self._kept.alone = not budget.allows(self._expected(row))
        try:
            return self.method(case, row)
        except NotKept:
            return [left_out_row(case.labels(row["method"]), budget.reason)]

    def _expected(self, row: dict[str, Any]) -> float:
        """Seconds that the measures of a map take: as many of its like are made, of other views, networks and seeds."""
        asked, method = self._parameters, row["method"]
        maps = asked.samples + asked.stages + (asked.seeds if method == "lime" else 0)
        share = 1.0
        if self._reruns.mode(row) == "fast":
            maps, share = maps + 1, min(1.0, FAST_PASSES / max(1, int(row["passes"])))
        return maps * share * float(self._seconds[method])

    def method(self, case: ExplainedCase, row: dict[str, Any]) -> list[dict[str, Any]]:
        """The rows of a method."""
        own, _ = read_map(self._bench, row)
        explained = self._reruns.reference(case, row, own)
        labels = case.labels(row["method"]) | {"mode": self._reruns.mode(row)}
        found: list[dict[str, Any]] = []
        if self._parameters.samples:
            found.append(_row(labels, "max_sensitivity", self._reruns.sensitivity(case, row, explained)))
            found.append(_row(labels, "redrawn", self._redrawn(case, row["method"], explained.values)))
        if row["method"] == "lime":
            if self._parameters.seeds:
                found += [_row(labels, **one) for one in self._lime.measures(case, row, explained)]
        elif self._parameters.samples:
            found.append(_row(labels, "noise_floor", self._reruns.noise_floor(case, row, own, explained)))
        if self._parameters.stages:
            chance = self._chance(explained)
            for stage in self._reruns.randomisation(case, row, explained):
                found.append(_row(labels, "randomisation_similarity", chance=chance, **stage))
        return found

    def control(self, case: ExplainedCase, name: str) -> list[dict[str, Any]]:
        """The rows of a control, which looks at no model: its maps are the same whatever became of that."""
        values, seed = case.controls[name], self._bench.study.seed
        labels, parameters = case.labels(name), self._parameters
        found: list[dict[str, Any]] = []
        if parameters.samples:

            def again(view: Any, seed: int = seed) -> Any:
                made = every_control(view, None, seed=seed, image_id=case.image_id)
                return made.get(name, values)  # the oracle does not look at the picture either

            moved = max_sensitivity(
                again, case.view, values, radius=parameters.radius, samples=parameters.samples, seed=seed
            )
            others = [again(case.view, other) for other in self._lime.other_seeds]
            found.append(_row(labels, "max_sensitivity", moved))
            found.append(_row(labels, "redrawn", self._redrawn(case, name, values)))
            found.append(_row(labels, "noise_floor", largest_change(values, others) if others else None))
        if parameters.stages:
            chance = self._chance_of(values)
            for stage in self._reruns.cascade():
                same = similarity(values, values)
                found.append(_row(labels, "randomisation_similarity", same, chance=chance, **stage))
        return found

    def _redrawn(self, case: ExplainedCase, method: str, values: np.ndarray) -> float | None:
        """What maps of other images say of how far this one would move if it were drawn anew."""
        shown = (self._maps_of(number).get(method) for number in self._cases.next_others(case, OTHERS))
        return redrawn(
            values, [found for found in shown if found is not None and found.shape == values.shape]
        )

    def _maps_of(self, number: int) -> dict[str, np.ndarray]:
        """All maps of a case, controls included, by method."""
        if number not in self._maps:
            if len(self._maps) > 3 * OTHERS:  # in a large study a case has others that no case before it had
                self._maps.clear()
            other = self._cases[number]
            maps = {row["method"]: read_map(self._bench, row)[0].values for row in other.rows}
            self._maps[number] = maps | dict(other.controls)
        return self._maps[number]

    def _chance(self, explained: AttributionMap) -> float | None:
        return self._chance_of(explained.values) if explained.usable else None

    def _chance_of(self, values: Any) -> float | None:
        if values.shape not in self._noise:
            self._noise[values.shape] = RankedMaps(smooth_noise(values.shape, seed=self._bench.study.seed))
        return chance_similarity(values, self._noise[values.shape])


def _row(
    labels: dict[str, Any],
    metric: str,
    value: float | None = None,
    *,
    variant: str | None = None,
    depth: float | None = None,
    chance: float | None = None,
) -> dict[str, Any]:
    return {**labels, "metric": metric, "variant": variant, "depth": depth, "value": value, "chance": chance}
