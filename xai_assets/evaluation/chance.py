"""What the same methods' maps of other images give: for every pair of methods, and for every method and truth."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.attribution.scaling import is_constant
from xai_assets.evaluation import across_images as across
from xai_assets.evaluation.across_images import OrderedMap
from xai_assets.evaluation.comparison import INTERVAL, interval_columns
from xai_assets.evaluation.equal_area import AREAS
from xai_assets.evaluation.metrics import METRICS
from xai_assets.evaluation.other_images import against_others, used_blocks

FOUND = ("chance", "attainable", "difference", *INTERVAL, "p")
"""What is known of each: the level of chance, the mean less that with its interval, and the exact test's p."""

OF_PAIRS = ("method_a", "method_b", "metric", "area", *FOUND)
OF_TRUTHS = ("method", "metric", "truth", *FOUND)

LOCALIZATION = ("iou", "iou_matched", "average_precision", "pointing", "energy")
"""The metrics of a map against a truth."""

Key = tuple[Any, ...]


@dataclass(frozen=True)
class ShownMap:
    """A map that shows something, and its mask.

    Attributes:
        values: h w float32, raw.
        order: the same by the order of its pixels, with its mask.
    """

    values: np.ndarray
    order: OrderedMap

    @classmethod
    def of(cls, values: np.ndarray, mask: np.ndarray) -> "ShownMap | None":
        """Of a map (h w) and its mask (h w bool); None of a map that is constant or not finite."""
        shows = np.isfinite(values).all() and not is_constant(values)
        return cls(values, OrderedMap.of(values, mask)) if shows else None


@dataclass(frozen=True)
class CaseMaps:
    """The maps of one image and target class.

    Attributes:
        image: a number of the image, ascending within a block.
        maps: by method; methods without a map, or whose map shows nothing, are left out.
        truths: by name, pixels bool; those that are not known, or of which nothing is seen, are left out.
    """

    image: int
    maps: dict[str, ShownMap]
    truths: dict[str, np.ndarray]


class _Matrices:
    """Matrices of images with images, collected block by block; at the end a row of each."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._blocks: dict[Key, list[np.ndarray]] = {}
        self._attainable: dict[Key, list[float]] = {}

    def add(
        self,
        key: Key,
        values: np.ndarray,
        images: Sequence[int],
        used: np.ndarray | None = None,
        attainable: np.ndarray | None = None,
    ) -> None:
        kept = np.ones(len(images), bool) if used is None else used
        self._blocks.setdefault(key, []).extend(used_blocks([values], [images], [kept]))
        if attainable is not None:
            of_images = pd.Series(attainable[kept]).groupby(np.asarray(images)[kept], sort=False).mean()
            self._attainable.setdefault(key, []).extend(of_images.tolist())

    def rows(self, names: Sequence[str], metric: Callable[[Key], str]) -> pd.DataFrame:
        rows = []
        for key, blocks in self._blocks.items():
            found = against_others(blocks, seed=self._seed, bounds=METRICS[metric(key)].difference_bounds)
            attainable = self._attainable.get(key)
            rows.append(
                {
                    **dict(zip(names, key, strict=True)),
                    "chance": found.chance,
                    "attainable": float(np.mean(attainable)) if attainable else None,
                    "difference": found.difference.mean,
                    **interval_columns(found.difference),
                    "p": found.p,
                }
            )
        return pd.DataFrame(rows, columns=[*names, *FOUND]).astype({"chance": float, "attainable": float})


def chance_of_pairs(
    blocks: Iterable[Sequence[CaseMaps]], methods: Sequence[str], *, seed: int = 0
) -> pd.DataFrame:
    """Agreement of every two methods, less what their maps of other images agree.

    Args:
        blocks: cases in blocks of images, see `other_images.blocks_of`; an image's cases side by side, maps of a block of
            one shape. One block is asked for at a time.
        methods: the pairs are of these, in this order.
        seed: of drawn pairings.

    Returns:
        OF_PAIRS: one row a pair and metric, `area` given for the IoU at matched area at each of `equal_area.AREAS`. Only
        cases in which both maps show something count, and for an overlap only masks that are not both empty.
    """
    found = _Matrices(seed)
    for block in blocks:
        for a, b in combinations(methods, 2):
            both = [case for case in block if a in case.maps and b in case.maps]
            if not both:
                continue
            images = [case.image for case in both]
            of_a, of_b = ([case.maps[name].order for case in both] for name in (a, b))
            masks_a, masks_b = ([one.mask for one in side] for side in (of_a, of_b))
            some = np.array([bool(x.any() or y.any()) for x, y in zip(masks_a, masks_b, strict=True)])
            every = np.array([bool(x.any() and y.any()) for x, y in zip(masks_a, masks_b, strict=True)])
            iou, dice = across.iou_and_dice(masks_a, masks_b)
            most = across.attainable_iou(masks_a, masks_b)
            found.add((a, b, "iou", None), iou, images, some, most)
            found.add((a, b, "dice", None), dice, images, some, 2 * most / (1 + most))
            matched = across.matched_ious(of_a, of_b)
            found.add((a, b, "iou_matched", None), matched, images, every)
            found.add((a, b, "rank_correlation", None), across.rank_correlations(of_a, of_b), images)
            for area in AREAS:
                found.add((a, b, "iou_matched", area), across.ious_at_area(of_a, of_b, area), images)
    return found.rows(OF_PAIRS[:4], lambda key: str(key[2])).astype({"area": float})


def chance_of_truths(
    blocks: Iterable[Sequence[CaseMaps]], methods: Sequence[str], *, seed: int = 0
) -> pd.DataFrame:
    """Localisation of every method on every truth, less what its maps give on the truths of other images.

    Args:
        blocks: as `chance_of_pairs` takes them.
        methods: in this order.
        seed: of drawn pairings.

    Returns:
        OF_TRUTHS: one row a method, metric and truth. Only cases count in which the map shows something and something
        of the truth is seen; for energy, maps with a positive value.
    """
    found = _Matrices(seed)
    for block in blocks:
        for truth in dict.fromkeys(name for case in block for name in case.truths):
            for method in methods:
                both = [case for case in block if method in case.maps and truth in case.truths]
                if not both:
                    continue
                images = [case.image for case in both]
                shown = [case.maps[method] for case in both]
                orders, truths = [one.order for one in shown], [case.truths[truth] for case in both]
                masks = [one.mask for one in orders]
                most = across.attainable_iou(masks, truths)
                found.add((method, "iou", truth), across.iou_and_dice(masks, truths)[0], images, None, most)
                for metric, matrix in (
                    ("iou_matched", across.matched_to_truths(orders, truths)),
                    ("average_precision", across.average_precisions(orders, truths)),
                    ("pointing", across.pointing(orders, truths)),
                    ("energy", across.energies([one.values for one in shown], truths)),
                ):
                    found.add((method, metric, truth), matrix, images, np.isfinite(np.diag(matrix)))
    return found.rows(OF_TRUTHS[:3], lambda key: str(key[1]))
