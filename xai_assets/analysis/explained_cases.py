"""A study's explained cases, an image and what was asked of it each, with all that measures of the model want of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.analysis.differences import Case, case_of, contrast_of
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.targets import Target
from xai_assets.attribution.wording import in_words
from xai_assets.errors import XaiError
from xai_assets.evaluation.controls import every_control
from xai_assets.files import sha256_bytes


@dataclass(frozen=True)
class ExplainedCase:
    """One image and class, or the difference of two classes.

    Attributes:
        prediction: its row of the table `predictions`, or of `differences.differences`.
        rows: its rows of the table of maps, one a method.
        view: h w 3 uint8, what the model saw.
        truth: h w bool, the true mask of the class in the view's frame; None where it is not known, and of a difference.
        controls: by name, h w float32 in the view's frame.
    """

    prediction: dict[str, Any]
    rows: list[dict[str, Any]]
    view: np.ndarray
    truth: np.ndarray | None
    controls: dict[str, np.ndarray]

    @property
    def image_id(self) -> str:
        """The image's name."""
        return str(self.prediction["image_id"])

    @property
    def target(self) -> int:
        """The target class."""
        return int(self.prediction["target_index"])

    @property
    def asked(self) -> Target:
        """The target class, or the difference of two."""
        return Target(self.target, contrast_of(self.prediction))

    @property
    def named(self) -> str:
        """The image and the class, or the two classes, for people."""
        names = self.prediction["target_name"], self.prediction.get("contrast_name")
        return f"{self.image_id} ({in_words(*names)})"

    def labels(self, method: str) -> dict[str, Any]:
        """The columns that every row about this case and a method or control begins with."""
        second = ("contrast_index", "contrast_name") if self.asked.contrast is not None else ()
        return {
            "image_id": self.image_id,
            "target_index": self.target,
            "target_name": self.prediction["target_name"],
            **{name: self.prediction[name] for name in second},
            "method": method,
            "is_control": method in self.controls,
        }


class ExplainedCases:
    """The cases that have maps, in the order of the predictions; each is read when it is asked for.

    Args:
        bench: the study.
        maps: the table `maps`, or `difference_maps`.
        predictions: the table `predictions`, or the rows of `differences.differences`.
    """

    def __init__(self, bench: Workbench, maps: pd.DataFrame, predictions: pd.DataFrame) -> None:
        self._bench = bench
        self._maps: dict[Case, list[dict[str, Any]]] = {}
        for row in maps.to_dict("records"):
            self._maps.setdefault(case_of(row), []).append(row)
        self._predictions = [row for row in predictions.to_dict("records") if case_of(row) in self._maps]

    def __len__(self) -> int:
        return len(self._predictions)

    def __getitem__(self, number: int) -> ExplainedCase:
        row = self._predictions[number]
        arrays, _ = self._bench.store.get("views", row["view"])
        known = "truth" in arrays and contrast_of(row) is None
        truth = arrays["truth"].astype(bool) if known else None
        return ExplainedCase(
            row,
            self.rows_of(number),
            arrays["view"],
            truth,
            every_control(arrays["view"], truth, seed=self._bench.study.seed, image_id=row["image_id"]),
        )

    def rows_of(self, number: int) -> list[dict[str, Any]]:
        """The rows of the table `maps` of a case."""
        return self._maps[case_of(self._predictions[number])]

    def views(self, count: int) -> list[np.ndarray]:
        """What the model saw of at most `count` different images, h w 3 uint8, evenly over all."""
        keys = list(dict.fromkeys(row["view"] for row in self._predictions))
        count = min(count, len(keys))
        chosen = [keys[place * len(keys) // count] for place in range(count)]
        return [self._bench.store.get("views", key)[0]["view"] for key in chosen]

    def spread(self, count: int) -> list[int]:
        """The numbers of `count` cases, evenly over all; all where there are fewer."""
        return spread(count, len(self))

    def next_others(self, case: ExplainedCase, count: int) -> list[int]:
        """The numbers of the `count` cases of other images that come after a case, from the first on after the last."""
        images = [row["image_id"] for row in self._predictions]
        at = images.index(case.image_id)
        others = [(at + step) % len(images) for step in range(1, len(images))]
        return [number for number in others if images[number] != case.image_id][:count]


def spread(count: int, total: int) -> list[int]:
    """`count` of so many numbers from 0, evenly over all; all where there are fewer."""
    count = min(count, total)
    return [place * total // count for place in range(count)]


def array_key(array: np.ndarray) -> list[Any]:
    """An array by its content, for the key of a result that was made from it."""
    return [str(array.dtype), list(array.shape), sha256_bytes(np.ascontiguousarray(array).tobytes())]


def refuse_nothing(bench: Workbench, measure: str, rows: list[dict[str, Any]]) -> None:
    """Raises XaiError, with the first problem, where there are problems and not one row."""
    if bench.tally.problems and not rows:
        raise XaiError(
            f"{measure} of study {bench.study.name}",
            f"nothing could be measured: {bench.tally.problems[0]}",
            "Mend the first, and the others are likely mended too.",
        )
