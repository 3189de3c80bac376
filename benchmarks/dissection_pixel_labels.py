"""Pixel labels: overlaps of all units and concepts against the straightforward loop over units and concepts.

The loop is what one writes down from the paper: image by image and unit by unit the map is upsampled to the label size
(where a cell is above the threshold at all), compared with the threshold, and compared with the mask of each concept
that the image shows. It is timed on some of the images, and every image costs it the same on average. Both start from
maps, thresholds and decoded labels in memory; both count in float32 masks and agree on every count.
"""

import argparse
import os
import time

import numpy as np
import pandas as pd
import torch

from xai_assets.dissection.label_segments import LabelSegments, read_labels
from xai_assets.dissection.layer_activations import LayerActivations
from xai_assets.dissection.netdissect import paired_tallies, tally
from xai_assets.dissection.pixel_significance import image_permutations
from xai_assets.dissection.probe import ArrayProbe
from xai_assets.dissection.sparse_maps import SparseMaps
from xai_assets.dissection.thresholds import top_quantile_thresholds

CATEGORIES = {"object": 40, "part": 30, "color": 11, "material": 20, "texture": 15}
"""Concepts a category; each label map is of patches, as segments of pictures are."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--units", type=int, default=512)
    parser.add_argument("--side", type=int, default=7, help="of the maps")
    parser.add_argument("--label-side", type=int, default=112)
    parser.add_argument("--loop-images", type=int, default=20, help="that the loop is timed on")
    parser.add_argument("--permutations", type=int, default=20)


def run(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    print(
        f"pixel labels: {arguments.images:,} images, {arguments.units} units of {arguments.side} x {arguments.side}, "
        f"labels of {arguments.label_side} x {arguments.label_side}, {torch.get_num_threads()} thread(s)"
    )
    layer, probe = make(arguments)
    thresholds = top_quantile_thresholds(layer)
    start = time.process_time()
    labels = read_labels(probe)
    decoded = time.process_time() - start
    shown = np.diff(labels.first_column).mean()
    print(
        f"  {shown:.1f} concepts an image; {(layer.peak > thresholds).mean():.1%} of the maps reach above the threshold"
    )

    chosen = range(min(arguments.loop_images, arguments.images))
    planes = [_planes(labels, image) for image in chosen]
    start = time.process_time()
    slow = loop(layer.maps, thresholds, planes, len(labels.concepts))
    looped = (time.process_time() - start) / len(chosen)

    start = time.process_time()
    tally({"layer": layer.maps}, {"layer": thresholds}, labels)
    ours = (time.process_time() - start) / arguments.images
    _agree(slow, layer.maps, thresholds, labels, len(chosen))
    print(
        f"  loop {looped * 1e3:.2f} ms an image, ours {ours * 1e3:.2f} ms of processor: {looped / ours:.0f} times faster "
        f"(labels cut into segments, once: {decoded / arguments.images * 1e3:.2f} ms an image)"
    )
    own = np.arange(arguments.images)[None]
    pairings = np.concatenate([own, image_permutations(arguments.images, arguments.permutations, seed=0)])
    start = time.process_time()
    paired_tallies({"layer": layer.maps}, {"layer": thresholds}, labels, pairings)
    paired = (time.process_time() - start) / arguments.images
    print(
        f"  with {arguments.permutations} permutations {paired * 1e3:.2f} ms an image: "
        f"{(paired - ours) / ours / arguments.permutations:.2f} of a tally for each"
    )


def make(arguments: argparse.Namespace) -> tuple[LayerActivations, ArrayProbe]:
    """Smooth maps of units that each prefer some images, and labels in patches."""
    rng = np.random.default_rng(0)
    count, units, side = arguments.images, arguments.units, arguments.side
    maps = rng.standard_normal((count, units, side, side), dtype=np.float32)
    for axis in (2, 3):  # neighbouring cells are alike
        maps[:] = maps + np.roll(maps, 1, axis=axis)
    maps *= rng.gamma(1.0, size=(count, units, 1, 1)).astype(np.float32)
    np.maximum(maps, 0, out=maps)
    concepts, number = [], 1
    for category, size in CATEGORIES.items():
        concepts += [(number + k, f"{category} {k}", category) for k in range(size)]
        number += size
    table = pd.DataFrame(concepts, columns=["number", "name", "category"])
    labels = []
    for _ in range(count):
        found = {}
        for category in CATEGORIES:
            mine = table.loc[table["category"] == category, "number"].to_numpy()
            few = np.append(0, rng.choice(mine, 5, replace=False)).astype(np.uint16)
            patches = few[rng.integers(0, len(few), (1, 4, 4))]
            found[category] = patches.repeat(arguments.label_side // 4, 1).repeat(
                arguments.label_side // 4, 2
            )
        labels.append(found)
    probe = ArrayProbe([np.zeros((8, 8, 3), np.uint8)] * count, labels, table)
    floors = np.quantile(maps[: min(count, 200)].swapaxes(0, 1).reshape(units, -1), 0.98, axis=1)
    layer = LayerActivations(
        "map",
        maps.mean((2, 3)),
        maps.max((2, 3)),
        maps.min((2, 3)),
        SparseMaps.of_dense(maps, floors.astype(np.float32)),
    )
    return layer, probe


def _planes(labels: LabelSegments, image: int) -> tuple[np.ndarray, np.ndarray]:
    """The concepts of an image, and a bool mask (pixels,) of each."""
    columns, carries = labels.membership(image)
    segments = labels.segments(image, np.array([0, 0, 1, 1])).ravel()
    return columns, carries[segments].T > 0


def loop(
    maps: SparseMaps, thresholds: np.ndarray, planes: list[tuple[np.ndarray, np.ndarray]], concepts: int
) -> np.ndarray:
    """Pixels of each unit and concept together, one after the other: (u, c)."""
    both = np.zeros((maps.shape[1], concepts), np.int64)
    for image, (columns, masks) in enumerate(planes):
        side = round(masks.shape[1] ** 0.5)
        for unit, cells in zip(*maps.of_image(image), strict=True):
            if cells.max() <= thresholds[unit]:
                continue
            fine = torch.nn.functional.interpolate(
                torch.from_numpy(cells)[None, None], (side, side), mode="bilinear", align_corners=False
            )
            on = fine.numpy().ravel() > thresholds[unit]
            for column, mask in zip(columns, masks, strict=True):
                both[unit, column] += np.count_nonzero(on & mask)
    return both


def _agree(
    slow: np.ndarray, maps: SparseMaps, thresholds: np.ndarray, labels: LabelSegments, images: int
) -> None:
    source = np.zeros(images, int)
    few = SparseMaps.gather([maps], source, np.arange(images))
    cut = LabelSegments(
        labels.concepts,
        labels.sizes[:images],
        labels.codes,
        labels.first_segment[: images + 1],
        labels.first_column[: images + 1],
        labels.columns,
        labels.first_member,
        labels.members,
    )
    fast = tally({"layer": few}, {"layer": thresholds}, cut)["layer"].both
    pixels = np.abs(fast - slow).sum()
    print(
        f"  counts: {slow.sum():,} by the loop, {pixels} of them not the same (rounding at the threshold itself)"
    )
