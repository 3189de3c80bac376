"""What chance gives, from the maps of a study's other images: computed once, and kept while the maps are these."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pandas as pd

from xai_assets.analysis.explanations import read_map
from xai_assets.analysis.workbench import Workbench
from xai_assets.evaluation.chance import (
    OF_PAIRS,
    OF_TRUTHS,
    CaseMaps,
    ShownMap,
    chance_of_pairs,
    chance_of_truths,
)
from xai_assets.evaluation.localization import OBJECT, TRUTHS
from xai_assets.evaluation.other_images import blocks_of
from xai_assets.files import fingerprint
from xai_assets.reporting.numbers import records

KIND = "other_images"
CODE_VERSION = 3
"""Raise it when the same maps give other numbers."""

TRUTH_ARRAYS = {name: "truth" if name == OBJECT else f"truth_{name}" for name in TRUTHS}
"""The truths by the array of the artifact `views` that holds each."""

Case = tuple[str, int]
Rows = list[dict[str, Any]]


def pairs_by_chance(bench: Workbench, maps: pd.DataFrame) -> pd.DataFrame:
    """`chance_of_pairs` of a study's maps (the table `maps`)."""
    methods = list(dict.fromkeys(maps["method"]))
    return kept_chance(
        bench,
        {"of": "pairs", "maps": _named(maps)},
        OF_PAIRS,
        lambda: chance_of_pairs(_blocks(bench, maps, {}), methods, seed=bench.study.seed),
    )


def truths_by_chance(bench: Workbench, maps: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """`chance_of_truths` of a study's maps and true masks (the tables `maps` and `predictions`)."""
    methods = list(dict.fromkeys(maps["method"]))
    views = {
        (str(row["image_id"]), int(row["target_index"])): str(row["view"])
        for row in predictions.to_dict("records")
    }
    return kept_chance(
        bench,
        {"of": "truths", "maps": _named(maps), "views": [views[case] for case in _cases(maps)]},
        OF_TRUTHS,
        lambda: chance_of_truths(_blocks(bench, maps, views), methods, seed=bench.study.seed),
    )


def kept_chance(
    bench: Workbench, made_of: dict[str, Any], columns: Sequence[str], compute: Callable[[], pd.DataFrame]
) -> pd.DataFrame:
    """What other images give, computed once and kept while it is made of the same, with the same seed."""
    key = fingerprint({"code": CODE_VERSION, "seed": bench.study.seed, **made_of})
    if not bench.store.has(KIND, key):
        bench.store.put(KIND, key, {}, {"rows": records(compute())})
    return pd.DataFrame(bench.store.get(KIND, key)[1]["rows"], columns=list(columns))


def _named(maps: pd.DataFrame) -> list[list[Any]]:
    """The maps by their content, in order."""
    return maps[["image_id", "target_index", "method", "artifact"]].to_numpy().tolist()


def _cases(maps: pd.DataFrame) -> dict[Case, Rows]:
    found: dict[Case, Rows] = {}
    for row in maps.to_dict("records"):
        found.setdefault((str(row["image_id"]), int(row["target_index"])), []).append(row)
    return found


def _blocks(bench: Workbench, maps: pd.DataFrame, views: dict[Case, str]) -> Iterator[list[CaseMaps]]:
    """The maps in blocks of images whose maps are of one shape; with the true masks where views are given."""
    images: dict[str, list[tuple[Case, Rows]]] = {}
    for case, rows in _cases(maps).items():
        images.setdefault(case[0], []).append((case, rows))
    names = list(images)
    shapes = [
        bench.store.mapped("maps", images[name][0][1][0]["artifact"])[0]["values"].shape for name in names
    ]
    for block in blocks_of(shapes, seed=bench.study.seed):
        yield [
            CaseMaps(int(place), _shown(bench, rows), _truths(bench, views.get(case)))
            for place in block
            for case, rows in images[names[place]]
        ]


def _shown(bench: Workbench, rows: Rows) -> dict[str, ShownMap]:
    found = {}
    for row in rows:
        values, mask = read_map(bench, row)
        shown = ShownMap.of(values.values, mask)
        if shown is not None:
            found[row["method"]] = shown
    return found


def _truths(bench: Workbench, view: str | None) -> dict[str, Any]:
    if view is None:
        return {}
    arrays = bench.store.get("views", view)[0]
    masks = {name: arrays[of].astype(bool).ravel() for name, of in TRUTH_ARRAYS.items() if of in arrays}
    return {name: mask for name, mask in masks.items() if OBJECT in masks and mask.any()}
