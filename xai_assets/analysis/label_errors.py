"""Which labels of a study are probably wrong, from what its model answers: worked out once, and kept."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
import pandas as pd

from xai_assets.analysis.workbench import Workbench
from xai_assets.evaluation import label_errors as science
from xai_assets.evaluation.label_errors import LabelErrors
from xai_assets.evaluation.suspected_labels import label_quality, suspected_labels
from xai_assets.files import fingerprint

KIND = "label_errors"
CODE_VERSION = 1
"""Raise it when the same answers give other numbers."""

CHUNK = 256
"""Answers in memory."""

PROBABILITIES = "answers"
"""The kind of the artifacts with the probabilities of all classes."""


def label_errors(bench: Workbench, answers: pd.DataFrame) -> LabelErrors:
    """What the labels come to; `wrong` is of the answers with one label, in their order.

    Args:
        bench: of the study.
        answers: `label_index`, `artifact` and `artifact_row` of the table `answers`.
    """
    single = answers[answers["label_index"].notna()]
    made_of = single[["label_index", "artifact", "artifact_row"]].astype(object).to_numpy().tolist()
    key = fingerprint({"code": CODE_VERSION, "seed": bench.study.seed, "labels": made_of})
    if not bench.store.has(KIND, key):
        found = science.label_errors(lambda: _chunks(bench, single), seed=bench.study.seed)
        plain = {name: value for name, value in asdict(found).items() if name != "wrong"}
        bench.store.put(KIND, key, {"wrong": found.wrong}, plain | {"answer": str(found.answer)})
    arrays, meta = bench.store.get(KIND, key)
    return LabelErrors(arrays["wrong"], **{name: meta[name] for name in science.SUMMARY})


def with_suspicion(bench: Workbench, answers: pd.DataFrame) -> pd.DataFrame:
    """The answers with `label_wrong`, the probability that the label is wrong, and `label_suspected`."""
    single = answers["label_index"].notna()
    wrong = pd.Series(pd.NA, index=answers.index, dtype="Float64")
    wrong[single] = label_errors(bench, answers).wrong
    suspected = wrong.gt(science.WRONG).astype("boolean")
    return answers.assign(label_wrong=wrong, label_suspected=suspected)


def label_tables(bench: Workbench, answers: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables `suspected_labels` and `label_quality` of the warehouse."""
    return {
        "suspected_labels": suspected_labels(answers),
        "label_quality": label_quality(answers, label_errors(bench, answers)),
    }


def _chunks(bench: Workbench, single: pd.DataFrame) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, len(single), CHUNK):
        of = single.iloc[start : start + CHUNK]
        kept: dict[str, np.ndarray] = {}  # an artifact may have several answers
        for key in of["artifact"].unique():
            kept[key] = bench.store.get(PROBABILITIES, str(key))[0]["probabilities"]
        rows = zip(of["artifact"], of["artifact_row"].astype(int), strict=True)
        yield np.stack([kept[key][row] for key, row in rows]), of["label_index"].to_numpy(dtype=int)
