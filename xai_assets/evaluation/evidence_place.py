"""Where the evidence for an answer lies: on the object, in its context, or elsewhere, against maps of other images.

The share of a map's positive values is taken of three regions that make up the frame: the object's mask; its context, a
ring of the nearest pixels around it, as many as the object has; and the rest. What is compared with is not the regions'
areas but what the same method's maps of other images have in the same regions: things mostly lie in the middle, and so
do maps. An image is the unit, its map that of the class that the model answers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.ndimage import distance_transform_edt

from xai_assets.evaluation.comparison import DECIDED, INTERVAL, interval_columns
from xai_assets.evaluation.decision import decide
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.intervals import difference_of, mean_interval
from xai_assets.evaluation.other_images import AgainstOthers, against_others
from xai_assets.evaluation.two_groups import permutation_p

REGIONS = ("object", "context", "elsewhere")

MARGIN = 0.1
"""Evidence lies on the object where its share is above chance by a tenth of what is left to 1. Maps are smooth and bleed
over edges, so that those of a model that never looks at the object are a little above chance as well."""

PLACE = (
    "image_id",
    "target_index",
    "target_name",
    "method",
    "correct",
    *REGIONS,
    *(f"{of}_chance" for of in REGIONS),
)
"""The columns of a table of one row an image and method."""

CHANCE, ON_OBJECT, ANSWERS = "chance", "on_object", "answers"
TESTS = (
    "question", "region", "method", "value", "reference", "difference", *INTERVAL, *DECIDED,
)  # fmt: skip
BOUNDS = (-1.0, 1.0)


@dataclass(frozen=True)
class PlacedMap:
    """A method's map of the class that a model answers, on an image whose object is known.

    Attributes:
        image_id, target_index, target_name, method: what it is of.
        correct: whether the answer is right; None where that is not known.
        values: h w, raw, finite.
        mask: h w bool, the object, not empty.
    """

    image_id: str
    target_index: int
    target_name: str
    method: str
    correct: bool | None
    values: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True)
class EvidencePlaces:
    """Where the evidence of a study's answers lies.

    Attributes:
        places: PLACE.
        tests: TESTS.
    """

    places: pd.DataFrame
    tests: pd.DataFrame


def regions(mask: np.ndarray) -> dict[str, np.ndarray]:
    """The three REGIONS of an object's mask (h w bool, not empty), each h w bool, disjoint; the last may be empty.

    The ring has at least as many pixels as the object: all of those that are as far away as the last of them.

    Raises:
        EvaluationError: a mask without a pixel.
    """
    mask = np.asarray(mask, bool)
    inside = int(mask.sum())
    if not inside:
        raise EvaluationError("an object's mask", "has no pixel", "Leave the image out.")
    distance = distance_transform_edt(~mask)
    outside = np.sort(distance[~mask])
    reach = outside[min(inside, len(outside)) - 1] if len(outside) else 0.0
    context = ~mask & (distance <= reach)
    return {"object": mask, "context": context, "elsewhere": ~(mask | context)}


def evidence_places(blocks: Iterable[Sequence[PlacedMap]], *, seed: int = 0) -> EvidencePlaces:
    """Where maps lie, and what can be said of it.

    Three families of questions, each decided together: CHANCE: has a region more of a method's maps than the same
    method's maps of other images have in it? ON_OBJECT: is the object's share above chance by MARGIN of what is left to
    1? ANSWERS: is a region's share less chance larger where the answer is right than where it is wrong?

    Args:
        blocks: maps in blocks of images, see `other_images.blocks_of`, those of a block of one shape and a method's at
            most one an image.
        seed: of drawn pairings and permutations.

    Returns:
        Rows in the order given. Maps without a positive value have no share, and are left out of the tests.
    """
    rows: list[dict[str, Any]] = []
    matrices: dict[tuple[str, str], list[np.ndarray]] = {}
    shifted: dict[str, list[np.ndarray]] = {}
    for block in blocks:
        for method in dict.fromkeys(one.method for one in block):
            of_method = [one for one in block if one.method == method]
            found = _shares(of_method)
            rows += _rows(of_method, found)
            for region, matrix in found.items():
                used = np.isfinite(np.diag(matrix))
                matrix = matrix[np.ix_(used, used)]
                matrices.setdefault((method, region), []).append(matrix)
                if region == "object":
                    shifted.setdefault(method, []).append(_less_the_margin(matrix))
    places = pd.DataFrame(rows, columns=list(PLACE)).astype({"correct": "boolean"})
    return EvidencePlaces(places, _tests(places, matrices, shifted, seed))


def _shares(maps: Sequence[PlacedMap]) -> dict[str, np.ndarray]:
    """By region, the share of map i in the region of image j, n n float64.

    NaN in rows of maps without a positive value, and in columns of images without the region.
    """
    positive = np.stack([np.maximum(one.values.ravel(), 0).astype(np.float64) for one in maps])  # n pixels
    total = positive.sum(axis=1, keepdims=True)
    positive = np.divide(positive, total, out=np.full_like(positive, np.nan), where=total > 0)
    of_images = [regions(one.mask) for one in maps]
    found = {}
    for region in REGIONS:
        masks = np.stack([one[region].ravel() for one in of_images])  # n pixels
        matrix = positive @ masks.T.astype(np.float64)
        matrix[:, ~masks.any(axis=1)] = np.nan
        found[region] = matrix
    return found


def _rows(maps: Sequence[PlacedMap], shares: dict[str, np.ndarray]) -> Iterable[dict[str, Any]]:
    chance = {region: _of_others(matrix) for region, matrix in shares.items()}
    for at, one in enumerate(maps):
        yield {
            "image_id": one.image_id,
            "target_index": one.target_index,
            "target_name": one.target_name,
            "method": one.method,
            "correct": one.correct,
            **{region: float(shares[region][at, at]) for region in REGIONS},
            **{f"{region}_chance": float(chance[region][at]) for region in REGIONS},
        }


def _of_others(matrix: np.ndarray) -> np.ndarray:
    """Of each image the mean share that the maps of the others have in its region, float64 (n,); NaN without another."""
    others = np.isfinite(matrix) & ~np.eye(len(matrix), dtype=bool)
    count = others.sum(axis=0)
    return np.divide(
        np.where(others, matrix, 0).sum(axis=0), count, out=np.full(len(matrix), np.nan), where=count > 0
    )


def _less_the_margin(matrix: np.ndarray) -> np.ndarray:
    """The matrix with the margin taken off what was observed."""
    off = MARGIN * (1 - _of_others(matrix))
    return matrix - np.diag(np.nan_to_num(off))


def _tests(
    places: pd.DataFrame,
    matrices: dict[tuple[str, str], list[np.ndarray]],
    shifted: dict[str, list[np.ndarray]],
    seed: int,
) -> pd.DataFrame:
    known = {key: against_others(of, seed=seed, bounds=BOUNDS) for key, of in matrices.items()}
    rows = _repaired(CHANCE, {(region, method): found for (method, region), found in known.items()})
    on_object = {
        ("object", method): against_others(of, seed=seed, bounds=BOUNDS) for method, of in shifted.items()
    }
    for row in _repaired(ON_OBJECT, on_object):
        value = known[row["method"], "object"].mean
        reference = None if row["difference"] is None or value is None else value - row["difference"]
        rows.append(row | {"value": value, "reference": reference})
    rows += _answers(places, seed)
    return pd.DataFrame(rows, columns=list(TESTS))


def _repaired(question: str, found: dict[tuple[str, str], AgainstOthers]) -> list[dict[str, Any]]:
    decisions = decide(
        [one.difference.mean for one in found.values()], [one.p for one in found.values()], repaired=True
    )
    return [
        {
            "question": question,
            "region": region,
            "method": method,
            "value": one.mean,
            "reference": one.chance,
            "difference": one.difference.mean,
            **interval_columns(one.difference),
            **asdict(decided),
        }
        for ((region, method), one), decided in zip(found.items(), decisions, strict=True)
    ]


def _answers(places: pd.DataFrame, seed: int) -> list[dict[str, Any]]:
    """Right answers against wrong ones; no row where the one or the other are not there."""
    rows: list[dict[str, Any]] = []
    for method, of in places.groupby("method", sort=False):
        correct = of["correct"]
        for region in REGIONS:
            excess = of[region] - of[f"{region}_chance"]
            right, wrong = excess[correct.eq(True).fillna(False)], excess[correct.eq(False).fillna(False)]
            if not (len(right.dropna()) and len(wrong.dropna())):
                continue
            a, b = mean_interval(right, bounds=BOUNDS), mean_interval(wrong, bounds=BOUNDS)
            difference = difference_of(a, b, bounds=(-2.0, 2.0))
            rows.append(
                {
                    "question": ANSWERS,
                    "region": region,
                    "method": method,
                    "value": a.mean,
                    "reference": b.mean,
                    "difference": difference.mean,
                    **interval_columns(difference),
                    "p": permutation_p(right.dropna().to_numpy(), wrong.dropna().to_numpy(), seed=seed),
                }
            )
    decisions = decide([row["difference"] for row in rows], [row["p"] for row in rows])
    return [
        row | asdict(decided) | {"fewest": None} for row, decided in zip(rows, decisions, strict=True)
    ]  # `fewest` is of tests that flip signs or pair anew
