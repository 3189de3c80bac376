"""`xai verify`: a seeded sample of a study's finished maps, made again by the published libraries, whatever is kept.

The sample is of cases (an image and a class each): the same for every method. A map counts as finished where the study,
its files and the code are still those that made it: its artifact has the key that they give.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from xai_assets.analysis.differences import of_classes
from xai_assets.analysis.predictions import explained_classifier
from xai_assets.analysis.verification import TABLE, Verifier, sample
from xai_assets.analysis.verified_rows import verified
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.parameters import FURTHER_CAMS, VERIFIED
from xai_assets.attribution.verification import library_passes
from xai_assets.errors import XaiError
from xai_assets.progress import Progress, silent
from xai_assets.resources.tables import TABLES
from xai_assets.vision.classifiers import Classifier

TIMED = 16
"""Images of the pass that is timed to say what a verification takes: as many as the library's ScoreCAM takes at once."""


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


def plan(bench: Workbench, *, count: int = VERIFIED, seed: int = 0, methods: Sequence[str] = ()) -> Planned:
    """Choose `count` maps of each method (of all that the study has, unless some are named), and time one pass.

    Raises:
        XaiError: a method that the study has no maps of, or no map at all: both say what to do.
    """
    name = bench.study.name
    chosen = bench.attribution.methods.made()
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
    rows = sample(maps, wanted, count, seed)
    classifier = explained_classifier(bench)
    passes = sum(_passes(bench, row) for row in rows)
    return Planned(classifier, rows, passes, passes * _seconds_a_pass(bench, classifier, rows[0]))


def verify(bench: Workbench, planned: Planned, *, seed: int = 0, progress: Progress = silent) -> pd.DataFrame:
    """Compare what was planned, also what was compared before; returns the rows, which are loaded into DuckDB as well.

    Rows of other maps stay, see `verified`.
    """
    verifier = _verifier(bench, planned.classifier)
    rows = []
    for done, row in enumerate(planned.rows):
        progress(done, len(planned.rows))
        rows.append(verifier.row(row, seed=seed, anew=True))
    progress(len(planned.rows), len(planned.rows))
    frame = pd.DataFrame(rows, columns=list(TABLES[TABLE].columns))
    stored = bench.warehouse.read(bench.study.name)[TABLE]
    bench.warehouse.replace(bench.study.name, verified(frame, stored, finished(bench)))
    return frame


def finished(bench: Workbench) -> pd.DataFrame:
    """The rows of the table `maps` that the study's steps have left, of all methods: those of one class."""
    further = any(method in FURTHER_CAMS for method in bench.attribution.methods.made())
    assets = [name for name in bench.attribution.methods.made() if name not in FURTHER_CAMS]
    names = [f"{name}_masks" for name in (*assets, *(["further_cam"] if further else []))]
    tables = [bench.table(name) for name in names if bench.has_table(name)]
    tables = [of_classes(table) for table in tables if len(table)]
    return (
        pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(TABLES["maps"].columns))
    )


def _verifier(bench: Workbench, classifier: Classifier) -> Verifier:
    return Verifier(bench, classifier, bench.table("predictions"), bench.table("images"))


def _passes(bench: Workbench, row: dict[str, Any]) -> int:
    """Forward passes of the library for a map."""
    arrays, meta = bench.store.get("maps", row["artifact"])
    channels = len(arrays["channel_weights"]) if "channel_weights" in arrays else 0
    samples = meta["details"].get("samples", meta["parameters"].get("num_samples"))
    return library_passes(row["method"], samples, channels)


def _seconds_a_pass(bench: Workbench, classifier: Classifier, row: dict[str, Any]) -> float:
    pixels = _verifier(bench, classifier).pixels(row)
    batch = classifier.preprocessing.tensor(pixels)[None].repeat(TIMED, 1, 1, 1)
    classifier.logits(batch[:1])  # what is prepared at the first pass is not timed
    started = time.perf_counter()
    classifier.logits(batch)
    return (time.perf_counter() - started) / TIMED
