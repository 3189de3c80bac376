"""Which of many answered images are explained: failures of each confused pair, right answers beside them, a draw.

The random sample stands for all images. The failures do not, and neither do the right answers that are matched to them:
what differs between those two groups is a difference at equal class and about equal probability.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from xai_assets.evaluation.performance import suspected

COLUMNS = ("image_id", "reason", "matched_to")
FAILURE, SUCCESS, SUSPECTED, RANDOM = "failure", "success", "suspected", "random"


def explained_sample(
    answers: pd.DataFrame, *, failures: int, successes: bool, random: int, seed: int
) -> pd.DataFrame:
    """The images to explain, one row an image and reason.

    Args:
        answers: `image_id`, `label`, `predicted_index`, `probability`, `correct`, `label_wrong` and `label_suspected` of
            each image.
        failures: the most images of a confused pair (label and answer); those with the highest probability are taken. An
            image whose label is suspected is no failure: as many of a pair's are taken beside, the most suspicious ones.
        successes: whether each failure has a right answer of the same label beside it, the one with the nearest
            probability that no other failure has. A class with too few right answers has fewer.
        random: images that are drawn from all, those above among them, without replacement.
        seed: of the draw.

    Returns:
        COLUMNS. `reason`: FAILURE, SUCCESS, SUSPECTED or RANDOM; `matched_to`: the failure that a success stands beside.
    """
    chosen = _failures(answers, failures)
    rows: list[tuple[str, str, str | None]] = [(name, FAILURE, None) for name in chosen["image_id"]]
    if successes:
        rows += [(name, SUCCESS, of) for name, of in _matched(answers, chosen)]
    rows += [(name, SUSPECTED, None) for name in _suspected(answers, failures)["image_id"]]
    drawn = np.random.default_rng(seed).permutation(len(answers))[:random]
    rows += [(name, RANDOM, None) for name in answers["image_id"].iloc[np.sort(drawn)]]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _failures(answers: pd.DataFrame, most: int) -> pd.DataFrame:
    wrong = answers[~answers["correct"].astype("boolean").fillna(True).astype(bool) & ~suspected(answers)]
    surest = wrong.sort_values(["probability", "image_id"], ascending=[False, True])
    return surest.groupby(["label", "predicted_index"], sort=False).head(most)


def _suspected(answers: pd.DataFrame, most: int) -> pd.DataFrame:
    ordered = answers[suspected(answers)].sort_values(["label_wrong", "image_id"], ascending=[False, True])
    return ordered.groupby(["label", "predicted_index"], sort=False).head(most)


def _matched(answers: pd.DataFrame, failures: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """A right answer and the failure that it stands beside; the surest failure chooses first."""
    right = answers[answers["correct"].astype("boolean").fillna(False).astype(bool)]
    free = {
        label: dict(zip(of["image_id"], of["probability"], strict=True))
        for label, of in right.groupby("label")
    }
    for failure in failures.itertuples():
        left = free.get(failure.label)
        if left:
            nearest = min(left, key=lambda name: (abs(left[name] - failure.probability), name))
            del left[nearest]
            yield nearest, failure.image_id
