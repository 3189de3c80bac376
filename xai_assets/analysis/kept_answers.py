"""What a model has said about images, as it is kept: one artifact an image, in blocks."""

from collections.abc import Sequence

import numpy as np

from xai_assets.analysis.workbench import Workbench
from xai_assets.files import fingerprint
from xai_assets.resources.block_file import Member, member
from xai_assets.vision.classifiers import Classifier

KIND = "answers"
"""Of the artifacts: `probabilities` (1 k float32), NaN without an answer, and in the metadata `why_not`."""


def answer_keys(classifier: Classifier, pictures: Sequence[str]) -> list[str]:
    """The key of a model's answer to each image, by the images' own keys."""
    made_of = [classifier.fingerprint, classifier.preprocessing.fingerprint()]
    return [fingerprint({"answer": [*made_of, picture]}) for picture in pictures]


def kept_answer(key: str, scores: np.ndarray, why_not: str | None) -> Member:
    """An answer for the store: k float32, NaN where there is none, and then the reason."""
    return member([key], {"probabilities": scores[None]}, {"why_not": why_not})


def kept_answers(
    bench: Workbench, keys: Sequence[str]
) -> tuple[dict[str, np.ndarray], dict[str, str | None]]:
    """Those answers that are there: probabilities (k float32, NaN without an answer), and the reason if there is none."""
    known = bench.store.known(KIND, keys)
    found = {key: bench.store.get(KIND, key)[0]["probabilities"][0] for key in known}
    return found, {key: meta["why_not"] for key, meta in known.items()}
