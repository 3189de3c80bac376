"""A seeded sample of a study's finished maps, made again by the published libraries on its own network and images.

The sample is of cases (an image and a class each): the same for every method. A map counts as finished where the study,
its files and the code are still those that made it: its artifact has the key that they give.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.analysis.explanations import made_of, map_key, read_map
from xai_assets.analysis.predictions import explained_classifier
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.parameters import FURTHER_CAMS
from xai_assets.attribution.verification import REFERENCES, Comparison, compare
from xai_assets.errors import XaiError
from xai_assets.progress import Progress, silent
from xai_assets.resources.tables import TABLES
from xai_assets.vision.classifiers import Classifier

TABLE = "verification"
COUNT = 3
"""Maps of each method, unless told otherwise."""

TIMED = 16
"""Images of the pass that is timed to say what a verification takes: as many as the library's ScoreCAM takes at once."""

CHANGED = "the study, its files or the code changed since the map was made: `xai run {study}` makes it anew"


@dataclass(frozen=True)
class Planned:
    """What a verification is going to do.

    Attributes:
        classifier: the explained model.
        rows: the rows of the table `maps` that are compared.
        passes: forward passes of one image that the libraries need for them.
        seconds: what those take, by one pass that was timed.
    """

    classifier: Classifier
    rows: list[dict[str, Any]]
    passes: int
    seconds: float


def plan(bench: Workbench, *, count: int = COUNT, seed: int = 0, methods: Sequence[str] = ()) -> Planned:
    """Choose `count` maps of each method (of all that the study has, unless some are named), and time one pass.

    Raises:
        XaiError: a method that the study has no maps of, or no map at all: both say what to do.
    """
    name = bench.study.name
    chosen = bench.attribution.methods.chosen()
    if unknown := [method for method in methods if method not in chosen]:
        raise XaiError(
            f"study {name}", f"has no {', '.join(unknown)}", f"Name methods among {', '.join(chosen)}."
        )
    maps = finished(bench)
    wanted = [method for method in chosen if method in (methods or chosen)]
    if absent := [method for method in wanted if not len(maps) or method not in set(maps["method"])]:
        raise XaiError(
            f"study {name}",
            f"has no maps of {', '.join(absent)} yet",
            f"Make them first: `xai run {name}`.",
        )
    cases = sorted(set(maps[["image_id", "target_index"]].itertuples(index=False, name=None)))
    order = {
        cases[place]: rank for rank, place in enumerate(np.random.default_rng(seed).permutation(len(cases)))
    }
    maps = maps.assign(
        rank=[order[case] for case in zip(maps["image_id"], maps["target_index"], strict=True)]
    )
    rows = [
        row
        for method in wanted
        for row in maps[maps["method"] == method].sort_values("rank").head(count).to_dict("records")
    ]
    classifier = explained_classifier(bench)
    passes = sum(_passes(bench, row) for row in rows)
    return Planned(classifier, rows, passes, passes * _seconds_a_pass(bench, classifier, rows[0]))


def verify(bench: Workbench, planned: Planned, *, seed: int = 0, progress: Progress = silent) -> pd.DataFrame:
    """Compare what was planned; returns the rows of the table `verification`, which are loaded into DuckDB as well.

    Rows of methods that are not asked for stay.
    """
    cases = _cases(bench)
    rows = []
    for done, row in enumerate(planned.rows):
        progress(done, len(planned.rows))
        case, picture = cases[row["image_id"], int(row["target_index"])]
        started = time.perf_counter()
        found = _compared(bench, planned.classifier, row, case, picture)
        rows.append(_row(row, found, time.perf_counter() - started, seed))
    progress(len(planned.rows), len(planned.rows))
    frame = pd.DataFrame(rows, columns=list(TABLES[TABLE].columns))
    methods = tuple(frame["method"].unique())
    bench.warehouse.replace(bench.study.name, {TABLE: frame}, within={TABLE: {"method": methods}})
    return frame


def summary(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """One entry a method: maps compared and not, largest difference of those compared, seconds of both, verdict, notes.

    The verdict is beyond where one map is; within where all that were compared are, and some were; else not_compared.
    """
    found = []
    for method, of_method in rows.groupby("method", sort=False):
        compared = of_method[of_method["verdict"] != "not_compared"]
        verdict = "not_compared"
        if len(compared):
            verdict = "beyond" if (compared["verdict"] == "beyond").any() else "within"
        largest = float(compared["difference"].max()) if len(compared) else None
        found.append(
            {
                "method": method,
                "library": of_method["library"].iloc[0],
                "maps": len(compared),
                "not_compared": len(of_method) - len(compared),
                "largest_difference": largest,
                "tolerance": float(of_method["tolerance"].iloc[0]),
                "tolerance_reason": REFERENCES[str(method)].reason,
                "seconds_library": float(compared["seconds_library"].sum()),
                "seconds": float(compared["seconds"].sum()),
                "verdict": verdict,
                "notes": list(dict.fromkeys(of_method["note"].dropna())),
            }
        )
    return found


def finished(bench: Workbench) -> pd.DataFrame:
    """The rows of the table `maps` that the study's steps have left, of all methods."""
    further = any(method in FURTHER_CAMS for method in bench.attribution.methods.chosen())
    assets = [name for name in bench.attribution.methods.chosen() if name not in FURTHER_CAMS]
    names = [f"{name}_masks" for name in (*assets, *(["further_cam"] if further else []))]
    tables = [bench.table(name) for name in names if bench.has_table(name)]
    tables = [table for table in tables if len(table)]
    return (
        pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(TABLES["maps"].columns))
    )


def _cases(bench: Workbench) -> dict[tuple[str, int], tuple[dict[str, Any], str]]:
    """Each row of `predictions`, and the artifact with the image's pixels."""
    images = bench.table("images")
    pictures = dict(zip(images["image_id"], images["picture"], strict=True))
    return {
        (row["image_id"], int(row["target_index"])): (row, pictures[row["image_id"]])
        for row in bench.table("predictions").to_dict("records")
    }


def _compared(
    bench: Workbench, classifier: Classifier, row: dict[str, Any], case: dict[str, Any], picture: str
) -> Comparison:
    made = made_of(bench, classifier, case, picture, row["method"])
    if map_key(bench, made) != row["artifact"]:
        return Comparison("not_compared", note=CHANGED.format(study=bench.study.name))
    pixels = bench.store.get("pictures", picture)[0]["pixels"]
    stored, _ = read_map(bench, row)
    return compare(stored, classifier, pixels, layout=bench.attribution.layout)


def _row(row: dict[str, Any], found: Comparison, seconds: float, seed: int) -> dict[str, Any]:
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
        "sample_seed": seed,
    }


def _passes(bench: Workbench, row: dict[str, Any]) -> int:
    """Forward passes of the library for a map; a gradient counts as two."""
    arrays, meta = bench.store.get("maps", row["artifact"])
    if row["method"] == "lime":
        return int(meta["parameters"]["num_samples"])
    return len(arrays["channel_weights"]) if row["method"] in ("ablationcam", "scorecam") else 3


def _seconds_a_pass(bench: Workbench, classifier: Classifier, row: dict[str, Any]) -> float:
    _, picture = _cases(bench)[row["image_id"], int(row["target_index"])]
    pixels = bench.store.get("pictures", picture)[0]["pixels"]
    batch = classifier.preprocessing.tensor(pixels)[None].repeat(TIMED, 1, 1, 1)
    classifier.logits(batch[:1])  # what is prepared at the first pass is not timed
    started = time.perf_counter()
    classifier.logits(batch)
    return (time.perf_counter() - started) / TIMED
