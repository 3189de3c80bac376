"""Faithfulness of every map and control of a study, computed where it is new; curves are kept, not only areas."""

import time
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.analysis.budget import LEFT_OUT, Budget, left_out_row, measured, spread_order
from xai_assets.analysis.differences import differences, of_differences
from xai_assets.analysis.explained_cases import ExplainedCase, ExplainedCases, array_key, refuse_nothing
from xai_assets.analysis.explanations import read_map
from xai_assets.analysis.predictions import explained_classifier
from xai_assets.analysis.quick_scores import QuickScores
from xai_assets.analysis.workbench import Workbench
from xai_assets.errors import XaiError
from xai_assets.evaluation.comparison import metric_tests
from xai_assets.evaluation.faithfulness import CODE_VERSION, FaithfulnessProbe, Measured, measures
from xai_assets.evaluation.ordering import tie_field
from xai_assets.evaluation.parameters import Faithfulness
from xai_assets.files import fingerprint
from xai_assets.resources.store import ArtifactError
from xai_assets.resources.tables import TABLES
from xai_assets.vision.classifiers import Classifier

KIND = "faithfulness"


def faithfulness(bench: Workbench, maps: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """One row an image, class, method or control, metric and baseline, as the warehouse's table `faithfulness`.

    Each map's curves are kept under a key of all that made them (artifact kind `faithfulness`: an array 2 k float64
    a curve, fractions and scores, named baseline.order). A map that shows nothing has rows without a value. An image
    that cannot be measured is left out, named in the tally, and does not stop the others. Where the budget is used up,
    a map has one row, which says so in the column `left_out`.
    """
    return _measured(bench, "faithfulness", maps, predictions)


def difference_faithfulness(bench: Workbench, maps: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """The same of the failures, as the table `difference_faithfulness`; empty where every answer is right.

    The score is the probability of the predicted class if it has to be one of the two. The controls are the same, but
    for the oracle: no mask is the ground truth of a difference.

    Args:
        bench: the study.
        maps: of all methods, as `explanations.maps` gives them.
        predictions: the table.
    """
    failures = pd.DataFrame(differences(predictions))
    return _measured(bench, "difference_faithfulness", of_differences(maps), failures)


def _measured(bench: Workbench, name: str, maps: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    columns = [*TABLES[name].columns, LEFT_OUT]
    parameters = bench.attribution.faithfulness
    if parameters is None or not len(maps):
        return pd.DataFrame(columns=columns)
    classifier = explained_classifier(bench)
    scores = QuickScores(classifier)
    cases = ExplainedCases(bench, maps, predictions)
    budget, took = Budget(parameters.budget), 0.0
    found: dict[int, list[dict[str, Any]]] = {}
    # Whole cases, so that methods and controls are of the same; evenly over all, however far it gets.
    order = range(len(cases)) if budget.seconds is None else spread_order(len(cases))
    for done, number in enumerate(order, 1):
        case = cases[number]
        work = _CaseWork(bench, classifier, scores, case, parameters)
        try:
            started, computed = time.perf_counter(), bench.tally.computed
            if not found or budget.allows(took) or work.known():
                found[number] = work.rows()
            else:
                found[number] = [left_out_row(case.labels(row["method"]), budget.reason) for row in case.rows]
            if bench.tally.computed > computed:
                took = time.perf_counter() - started
        except ArtifactError:
            raise  # no fault of the image: whatever made it makes it again
        except XaiError as error:
            bench.tally.leave_out("image classes", case.named, str(error))
        bench.progress(done, len(cases))
    rows = [row for number in sorted(found) for row in found[number]]
    refuse_nothing(bench, name, rows)
    return pd.DataFrame(rows, columns=columns)


_OF_A_MAP = ("image_id", "target_index", "target_name", "method", "is_control")


def faithfulness_curves(bench: Workbench, table: pd.DataFrame) -> pd.DataFrame:
    """The curves of the table `faithfulness` from their artifacts, as the warehouse's table `faithfulness_curves`."""
    frames = []
    one_a_map = (
        measured(table).dropna(subset=["artifact"]).drop_duplicates(["image_id", "target_index", "method"])
    )
    for row in one_a_map.to_dict("records"):
        for name, (fractions, scores) in bench.store.get(KIND, row["artifact"])[0].items():
            baseline, order = name.split(".")
            same = {column: row[column] for column in _OF_A_MAP}
            points = {"fraction": fractions, "score": scores, "baseline": baseline, "pixel_order": order}
            frames.append(pd.DataFrame(points | same))
    columns = list(TABLES["faithfulness_curves"].columns)
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def faithfulness_tests(bench: Workbench, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the warehouse's table `metric_tests` that are of faithfulness, from the table `faithfulness`."""
    return metric_tests(measured(table).astype({"value": "float64"}), seed=bench.study.seed)


class _CaseWork:
    """The work on one case; what is the same for all its maps is computed when the first of them is new."""

    def __init__(
        self,
        bench: Workbench,
        classifier: Classifier,
        scores: QuickScores,
        case: ExplainedCase,
        parameters: Faithfulness,
    ) -> None:
        self._bench, self._scores, self._case, self._parameters = bench, scores, case, parameters
        self._classifier = classifier
        self._probe: FaithfulnessProbe | None = None
        self._made_of: dict[str, Any] = {
            "code": CODE_VERSION,
            "weights": classifier.fingerprint,
            "preprocessing": classifier.preprocessing.fingerprint(),
            "view": array_key(case.view),
            "target": case.target,
            # Ties and noise are drawn by the image's name.
            "image": case.image_id,
            "parameters": parameters.model_dump(mode="json", exclude={"budget"}),
            "seed": bench.study.seed,
        }
        if case.asked.contrast is not None:
            self._made_of["contrast"] = case.asked.contrast

    def known(self) -> bool:
        """Whether all of it was measured before, so that it takes no time."""
        maps = [read_map(self._bench, row)[0] for row in self._case.rows]
        values = [one.values for one in maps if one.usable] + list(self._case.controls.values())
        return all(self._bench.store.has(KIND, self._key(one)) for one in values)

    def _key(self, values: np.ndarray) -> str:
        return fingerprint(self._made_of | {"map": array_key(values)})

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for row in self._case.rows:
            explained, _ = read_map(self._bench, row)
            found += self._rows(row["method"], explained.values if explained.usable else None)
        for name, values in self._case.controls.items():
            found += self._rows(name, values)
        return found

    def _rows(self, method: str, values: np.ndarray | None) -> list[dict[str, Any]]:
        if values is None:
            nothing: dict[tuple[str, str], float | None] = dict.fromkeys(measures(self._parameters))
            values_found, artifact = nothing, None
        else:
            values_found, artifact = self._kept(values)
        labels = self._case.labels(method)
        return [
            {**labels, "metric": metric, "variant": variant, "value": value, "artifact": artifact}
            for (metric, variant), value in values_found.items()
        ]

    def _kept(self, values: np.ndarray) -> tuple[dict[tuple[str, str], float | None], str]:
        """The measures of a map and the key of their artifact, computed where there is none."""
        key = self._key(values)
        if self._bench.store.has(KIND, key):
            self._bench.tally.reused += 1
        else:
            found = self._measure(values)
            arrays = {
                f"{curve.baseline}.{curve.order}": np.stack([curve.fractions, curve.scores])
                for curve in found.curves
            }
            values_found = [[*name, value] for name, value in found.values.items()]
            self._bench.store.put(KIND, key, arrays, {"values": values_found})
            self._bench.tally.computed += 1
        meta = self._bench.store.get(KIND, key)[1]
        return {(metric, variant): value for metric, variant, value in meta["values"]}, key

    def _measure(self, values: np.ndarray) -> Measured:
        if self._probe is None:
            tensor = self._classifier.preprocessing.from_view(self._case.view[None])[0]  # 3 h w
            seed, image_id = self._bench.study.seed, self._case.image_id
            self._probe = FaithfulnessProbe(
                self._scores.of(self._case.asked),
                np.ascontiguousarray(tensor.permute(1, 2, 0).numpy()),  # h w 3
                ties=tie_field(self._case.view, seed=seed, image_id=image_id),
                parameters=self._parameters,
                seed=seed,
                image_id=image_id,
            )
        return self._probe(values)
