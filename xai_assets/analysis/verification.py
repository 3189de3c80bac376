"""Maps against those of the published libraries: each comparison is kept, by all that made it, and is a row."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.analysis.explained_cases import array_key, refuse_nothing
from xai_assets.analysis.explanations import read_map
from xai_assets.analysis.map_keys import made_of, map_key
from xai_assets.analysis.predictions import explained_classifier
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.maps import AttributionMap
from xai_assets.attribution.verification import CODE_VERSION, REFERENCES, Comparison, compare
from xai_assets.errors import XaiError
from xai_assets.files import fingerprint
from xai_assets.resources.store import ArtifactError
from xai_assets.resources.tables import TABLES
from xai_assets.vision.classifiers import Classifier

TABLE = "verification"
KIND = "verifications"

CHANGED = "the study, its files or the code changed since the map was made: `xai run {study}` makes it anew"

Case = tuple[str, int]


def verification(
    bench: Workbench, maps: pd.DataFrame, predictions: pd.DataFrame, images: pd.DataFrame
) -> pd.DataFrame:
    """One row a map that the study's `verify` asks for, as the warehouse's table `verification`; empty without it.

    What is there, of the same map, library and tolerance, is not computed again. A map that cannot be looked at is left
    out, named in the tally, and does not stop the others.
    """
    columns = list(TABLES[TABLE].columns)
    parameters, seed = bench.attribution.verify, bench.study.seed
    if parameters is None or not len(maps):
        return pd.DataFrame(columns=columns)
    methods = [
        method for method in bench.attribution.methods.made() if method in (parameters.methods or REFERENCES)
    ]
    chosen = sample(maps, methods, parameters.maps, seed)
    verifier = Verifier(bench, explained_classifier(bench), predictions, images)
    rows: list[dict[str, Any]] = []
    for done, row in enumerate(chosen, 1):
        try:
            rows.append(verifier.row(row, seed=seed))
        except ArtifactError:
            raise  # no fault of the map: whatever made it makes it again
        except XaiError as error:
            bench.tally.leave_out("maps", f"{row['method']} of {row['image_id']}", str(error))
        bench.progress(done, len(chosen))
    refuse_nothing(bench, TABLE, rows)
    return pd.DataFrame(rows, columns=columns)


def sample(maps: pd.DataFrame, methods: Sequence[str], count: int, seed: int) -> list[dict[str, Any]]:
    """`count` rows of each of these methods, of cases (an image and a class each) in an order that the seed draws.

    The order is the same for all methods, and a larger sample has a smaller one in it.
    """
    cases: list[Case] = sorted(set(maps[["image_id", "target_index"]].itertuples(index=False, name=None)))
    order = np.random.default_rng(seed).permutation(len(cases))
    rank = {cases[place]: number for number, place in enumerate(order)}
    ranked = maps.assign(
        rank=[rank[case] for case in zip(maps["image_id"], maps["target_index"], strict=True)]
    ).sort_values("rank")
    return [
        row
        for method in methods
        for row in ranked[ranked["method"] == method].drop(columns="rank").head(count).to_dict("records")
    ]


class Verifier:
    """Compares rows of the table `maps`.

    Args:
        bench: the study.
        classifier: the explained model.
        predictions, images: the study's tables.
    """

    def __init__(
        self, bench: Workbench, classifier: Classifier, predictions: pd.DataFrame, images: pd.DataFrame
    ) -> None:
        self._bench, self._classifier = bench, classifier
        self._pictures = dict(zip(images["image_id"], images["picture"], strict=True))
        self._predictions: dict[Case, dict[str, Any]] = {
            (row["image_id"], int(row["target_index"])): row for row in predictions.to_dict("records")
        }

    def pixels(self, row: dict[str, Any]) -> np.ndarray:
        """The original image of a row, h w 3 uint8."""
        pixels: np.ndarray = self._bench.store.get("pictures", self._pictures[row["image_id"]])[0]["pixels"]
        return pixels

    def row(self, row: dict[str, Any], *, seed: int, anew: bool = False) -> dict[str, Any]:
        """The row of the table `verification` of one row of `maps`.

        A map that the study, its files and the code of today would not make is not compared, and its row names no
        comparison.

        Args:
            row: the map.
            seed: that the sample was drawn with.
            anew: compute what is there already, too.
        """
        case = self._predictions[row["image_id"], int(row["target_index"])]
        made = made_of(self._bench, self._classifier, case, self._pictures[row["image_id"]], row["method"])
        key, seconds = None, 0.0
        if map_key(self._bench, made) == row["artifact"]:
            stored, _ = read_map(self._bench, row)
            key, found, seconds = self._kept(row, stored, anew=anew)
        else:
            found = Comparison("not_compared", note=CHANGED.format(study=self._bench.study.name))
        reference = REFERENCES[row["method"]]
        return {
            **{name: row[name] for name in ("image_id", "target_index", "target_name", "method", "artifact")},
            "library": reference.named,
            "difference": found.difference,
            "tolerance": reference.tolerance,
            "verdict": found.verdict,
            "note": found.note,
            "seconds_library": seconds,
            "seconds": row["seconds"],
            "comparison": key,
            "sample_seed": seed,
        }

    def _kept(
        self, row: dict[str, Any], stored: AttributionMap, *, anew: bool
    ) -> tuple[str, Comparison, float]:
        """The key of the comparison's artifact, what it gave, and the seconds that it took."""
        reference, store = REFERENCES[row["method"]], self._bench.store
        made = {
            "code": CODE_VERSION,
            "map": row["artifact"],
            "values": array_key(stored.values),
            "library": reference.named,
            "tolerance": reference.tolerance,
        }
        key = fingerprint(made)
        cost = store.cost(KIND, key) if not anew and store.has(KIND, key) else None
        if cost is not None and isinstance(cost.get("seconds"), float):
            self._bench.tally.reused += 1
            meta = store.get(KIND, key)[1]
            found = Comparison(meta["verdict"], meta["difference"], meta["note"])
            return key, found, cost["seconds"]
        started = time.perf_counter()
        found = compare(stored, self._classifier, self.pixels(row), layout=self._bench.attribution.layout)
        seconds = time.perf_counter() - started
        store.put_cost(KIND, key, {"seconds": seconds, "device": str(self._classifier.device)})
        store.put(KIND, key, {}, {**made, **vars(found)})
        self._bench.tally.computed += 1
        return key, found, seconds
