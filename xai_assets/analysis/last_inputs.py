"""What went into the network's last layer for a map, kept for the cases whose robustness is going to be measured.

There the network with a random last layer is asked about the same altered images: what is kept answers for it. 6 MiB
a map of 1,280 channels and as many features. Where it is not kept the network is asked again.
"""

from typing import Any

import numpy as np
import pandas as pd

from xai_assets.analysis.differences import Case, case_of, contrast_of
from xai_assets.analysis.explained_cases import spread
from xai_assets.analysis.workbench import Workbench
from xai_assets.files import fingerprint

KIND = "last_inputs"
METHODS = ("scorecam", "lime")
"""The methods that ask about many altered images."""


def kept_of(bench: Workbench, predictions: pd.DataFrame, method: str) -> set[Case]:
    """The cases of which they are kept: those that `robustness` takes, where nothing is left out."""
    asked = bench.attribution.robustness
    if asked is None or method not in METHODS or not (asked.stages or asked.seeds):
        return set()
    rows = [row for row in predictions.to_dict("records") if contrast_of(row) is None]
    return {case_of(rows[number]) for number in spread(asked.cases, len(rows))}


def keep(
    bench: Workbench, row: dict[str, Any], inputs: np.ndarray, *, alone: bool, batch_size: int, cut: int
) -> None:
    """Keep m c float32 of a row of the table `maps`, and in which batches they were computed."""
    meta = {"alone": alone, "batch_size": batch_size, "cut": cut}
    bench.store.put(KIND, _key(row), {"inputs": inputs}, meta)


def read(bench: Workbench, row: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]] | None:
    """What is kept of a row of the table `maps`, with `alone`, `batch_size` and `cut`; None where nothing is."""
    if not bench.store.has(KIND, _key(row)):
        return None
    arrays, meta = bench.store.get(KIND, _key(row))
    return arrays["inputs"], meta


def _key(row: dict[str, Any]) -> str:
    return fingerprint({"last inputs of": row["artifact"]})
