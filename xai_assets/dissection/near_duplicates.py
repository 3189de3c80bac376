"""Which probe images show one photograph: crops, bursts, flipped, scaled and re-encoded copies, by local structure.

Two images are of one photograph where a similarity transform (shift, scale, rotation, mirror) that local features agree
on lays one over the other, and their fine structure is then the same all over what both show. An encoder is not asked:
distinct scenes of one kind look alike to it, and it may not know the images' domain. What this cannot see: crops that
share less than a third of the smaller one, and images without corners or blobs, such as a plain sky.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from xai_assets.dissection.probe import ProbeSet
from xai_assets.progress import Progress, silent

CODE_VERSION = 1
"""Part of the key of kept groups: raise it when they change."""

SIDE = 128
"""Pixels of the shorter side that images are compared at."""

LONGEST = 4
"""The longer side is at most so many times as long; what is longer is squeezed."""

POINTS = 64
"""Local features an image, the strongest."""

MOST = 5_000
"""Images among which all pairs are compared; of more, each with the NEXT that follow it in the probe set only."""

VOTING = 32
"""The strongest of them, by which images that may belong together are found."""

NEXT = 8
PARTNERS = 6
"""Images that each is laid over at most: those that share most features with it, and are not known to belong to it."""

FEWEST_SHARED = 3
ALIKE = 0.8
"""Cosine of two features' descriptors above which they may be one thing."""

RATIO = 0.85
"""A feature's best match is nearer than so many times its second (Lowe 2004)."""

FEWEST_INLIERS = 4
LARGEST_SCALE = 5.0
TOLERANCE = 3.0
"""Pixels that a matched feature may lie beside its place."""

MIN_CORRELATION = 0.8
"""Correlation of the band-passed images over all that both show. Of the 3,257 pairs among 1,000 scenes of the embedded
world that share most features the largest over at least MIN_OVERLAP is 0.76; of crops and copies most are above 0.97."""

MIN_OVERLAP = 0.3
"""Share of the smaller image that both show. Below, one object that two scenes share can be all that both show."""

_FINE, _COARSE = 1.0, 5.0
_CONTRAST = 0.02
_MIRRORED = np.arange(128).reshape(4, 4, 8)[::-1][..., -np.arange(8) % 8].ravel()
"""A mirrored patch's descriptor: rows of cells reversed, directions turned round."""


@dataclass(frozen=True)
class LocalFeatures:
    """An image to compare.

    Attributes:
        gray: uint8 (h, w), the shorter side SIDE.
        points: float32 (k, 2), x and y in it.
        descriptors: float32 (k, 128) of length 1, SIFT's square root (Arandjelovic & Zisserman 2012).
    """

    gray: np.ndarray
    points: np.ndarray
    descriptors: np.ndarray

    def mirrored(self) -> "LocalFeatures":
        """Those of the image as a mirror shows it."""
        points = self.points * [-1, 1] + [self.gray.shape[1] - 1, 0]
        gray = np.ascontiguousarray(self.gray[:, ::-1])
        return LocalFeatures(gray, points.astype(np.float32), self.descriptors[:, _MIRRORED])


def local_features(pixels: np.ndarray) -> LocalFeatures:
    """Scale-invariant features (Lowe 2004, doi:10.1023/B:VISI.0000029664.99615.94) of an image, uint8 (h, w, 3)."""
    height, width = pixels.shape[:2]
    scale = SIDE / min(height, width)
    size = [min(round(side * scale), LONGEST * SIDE) for side in (width, height)]
    smaller = scale < 1
    gray = cv2.resize(
        cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY),
        size,
        interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC,
    )
    found, described = cv2.SIFT.create(nfeatures=POINTS, contrastThreshold=_CONTRAST).detectAndCompute(
        gray, None
    )
    if described is None:
        return LocalFeatures(gray, np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32))
    order = np.argsort([-point.response for point in found], kind="stable")[:POINTS]
    points = np.array([found[at].pt for at in order], np.float32)
    shares = described[order] / np.maximum(described[order].sum(axis=1, keepdims=True), 1e-9)
    return LocalFeatures(gray, points, np.sqrt(shares).astype(np.float32))


def same_photograph(one: LocalFeatures, other: LocalFeatures) -> bool:
    """Whether both show the same photograph, at least MIN_OVERLAP of the smaller one; mirrored counts as the same."""
    return _laid_over(one, other) or _laid_over(one.mirrored(), other)


def near_groups(
    probe: ProbeSet,
    *,
    indices: Sequence[int] | None = None,
    most: int = MOST,
    progress: Progress = silent,
) -> np.ndarray:
    """The group of each image of a probe set, int (n,): the place of the group's first image.

    An image that belongs to two others brings all three together.

    Args:
        probe: the images; each is read once.
        indices: of the images that are looked at; all of them if None.
        most: images among which all pairs are compared.
        progress: called after each image that is read, and for as many steps again while they are compared.
    """
    chosen = range(len(probe)) if indices is None else indices
    images, features = len(chosen), []
    hashes: dict[str, int] = {}
    groups = _Groups(images)
    for index, image in enumerate(chosen):
        picture = probe.load(image)
        features.append(local_features(picture.pixels))
        groups.join(index, hashes.setdefault(picture.sha256, index))
        progress(index + 1, 2 * images)
    followers = ((one, two) for one in range(images) for two in range(one + 1, min(one + NEXT + 1, images)))
    pairs = list(_sharing(features)) if images <= most else list(followers)
    for done, (one, two) in enumerate(pairs, 1):
        if groups.of(one) != groups.of(two) and same_photograph(features[one], features[two]):
            groups.join(one, two)
        progress(images + images * done // len(pairs), 2 * images)
    return np.array([groups.of(index) for index in range(images)])


class _Groups:
    """Sets of images that grow together; each is named after its first."""

    def __init__(self, images: int) -> None:
        self._first = list(range(images))

    def of(self, image: int) -> int:
        while self._first[image] != image:
            image = self._first[image]
        return image

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self.of(one), self.of(other)))
        self._first[second] = first


def _sharing(features: Sequence[LocalFeatures]) -> Iterator[tuple[int, int]]:
    """Pairs of images that share features, those with the most first: at most PARTNERS for each image."""
    owner = np.repeat(np.arange(len(features)), [len(one.points[:VOTING]) for one in features])
    shared: dict[tuple[int, int], int] = {}
    for asked, known in _nearest(features, owner):
        pair = (int(min(asked, known)), int(max(asked, known)))
        shared[pair] = shared.get(pair, 0) + 1
    partners = np.zeros(len(features), int)
    for (one, two), count in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if count >= FEWEST_SHARED and (partners[[one, two]] < PARTNERS).any():
            partners[[one, two]] += 1
            yield one, two


def _nearest(features: Sequence[LocalFeatures], owner: np.ndarray) -> Iterator[tuple[int, int]]:
    """For each feature and its mirror image: whose it is, and whose the most similar one of another image is."""
    import torch

    if not len(owner):
        return
    described = np.concatenate([one.descriptors[:VOTING] for one in features])
    _, axes = np.linalg.eigh(described.T @ described)
    axes = axes[:, -_AXES:]  # what tells descriptors from each other most
    known = torch.from_numpy(described @ axes)
    starts = np.searchsorted(owner, np.arange(len(features) + 1))
    for asked in (described, described[:, _MIRRORED]):
        turned = torch.from_numpy(asked @ axes)
        for image in range(0, len(features), _BLOCK):
            rows = slice(starts[image], starts[min(image + _BLOCK, len(features))])
            cosines = turned[rows] @ known.T  # q d, d k -> q k
            for at in range(image, min(image + _BLOCK, len(features))):
                own = slice(starts[at], starts[at + 1])
                cosines[own.start - rows.start : own.stop - rows.start, own] = -1
            best, where = cosines.max(dim=1)
            near = np.flatnonzero(best.numpy() > ALIKE)
            yield from zip(owner[rows][near], owner[where.numpy()[near]], strict=True)


_AXES, _BLOCK = 24, 8


def _laid_over(one: LocalFeatures, other: LocalFeatures) -> bool:
    """Whether a similarity transform of the features lays one image over the other, and both are then the same."""
    matches = _matches(one.descriptors, other.descriptors)
    if len(matches[0]) < FEWEST_INLIERS:
        return False
    transform, inliers = cv2.estimateAffinePartial2D(
        one.points[matches[0]], other.points[matches[1]],
        method=cv2.RANSAC, ransacReprojThreshold=TOLERANCE, maxIters=500, confidence=0.995,
    )  # fmt: skip
    if transform is None or int(inliers.sum()) < FEWEST_INLIERS:
        return False
    scale = float(np.sqrt(abs(np.linalg.det(transform[:, :2]))))
    if not 1 / LARGEST_SCALE < scale < LARGEST_SCALE:
        return False
    height, width = other.gray.shape
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    moved = cv2.warpAffine(one.gray, transform, (width, height), flags=how)
    there = cv2.warpAffine(np.full_like(one.gray, 1), transform, (width, height), flags=cv2.INTER_NEAREST)
    both = cv2.erode(there, np.ones((5, 5)), borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    if both.sum() < MIN_OVERLAP * min(other.gray.size, one.gray.size * scale**2):
        return False
    mine, others = _band(np.where(both, moved, other.gray))[both], _band(other.gray)[both]
    if mine.std() == 0 or others.std() == 0:
        return False
    return bool(np.corrcoef(mine, others)[0, 1] > MIN_CORRELATION)


def _matches(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features that are each other's nearest, and clearly nearer than the second."""
    if min(len(one), len(other)) < FEWEST_INLIERS:
        return np.zeros(0, int), np.zeros(0, int)
    cosines = one @ other.T  # k l
    best = cosines.argmax(axis=1)
    first, second = -np.partition(-cosines, 1, axis=1)[:, :2].T
    near = np.sqrt(np.maximum(2 - 2 * first, 0)) < RATIO * np.sqrt(np.maximum(2 - 2 * second, 0))
    mutual = cosines.argmax(axis=0)[best] == np.arange(len(one))
    chosen = np.flatnonzero(near & mutual)
    return chosen, best[chosen]


def _band(gray: np.ndarray) -> np.ndarray:
    """Structure of a few pixels: no colour of the sky, no noise."""
    fine = gray.astype(np.float32)
    return np.asarray(cv2.GaussianBlur(fine, (0, 0), _FINE) - cv2.GaussianBlur(fine, (0, 0), _COARSE))
