"""Shuffled networks: what one of them costs beyond its passes, and against the same steps one after the other.

The steps one after the other are those of a study on all its images: a copy of the network, its batch norms measured in
a pass of their own, then a pass over the part of the probe set that preprocesses every image, keeps maps for other
quantiles and more images, takes thresholds and counts overlaps. Scenes and labels stand in memory. Rounds alternate,
each with another seed, and each contender's fastest round counts, which is the one that was disturbed least.
"""

import argparse
import os
import time

import numpy as np
import pandas as pd
import torch

from xai_assets.dissection.activations import collect
from xai_assets.dissection.label_segments import read_labels
from xai_assets.dissection.netdissect import tally
from xai_assets.dissection.passes import batch_of
from xai_assets.dissection.probe import ArrayProbe
from xai_assets.dissection.shown_part import CALIBRATED, ShownPart
from xai_assets.dissection.shuffled import shuffled_twin
from xai_assets.dissection.thresholds import top_quantile_thresholds
from xai_assets.settings import Settings
from xai_assets.vision.classifiers import load_classifier
from xai_assets.world.description import describe
from xai_assets.world.labels import NUMBERS, broden_numbers
from xai_assets.world.render import render
from xai_assets.world.vocabulary import PIXEL_CATEGORIES, SIDE, VOCABULARY

LAYERS = ("layer2", "layer3", "layer4")
QUANTILE = 0.005


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--images", type=int, default=1000, help="of the probe set")
    parser.add_argument("--shown", type=int, default=250, help="of them, to each shuffled network")
    parser.add_argument("--rounds", type=int, default=5)


def run(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    classifier = load_classifier("diorama/object", Settings.from_environment())
    probe = _probe(arguments.images)
    count = min(arguments.shown, arguments.images)
    chosen = (np.arange(count) * arguments.images // count).tolist()
    labels = read_labels(probe).select(chosen)
    measured = min(CALIBRATED, count)
    few = [chosen[at * count // measured] for at in range(measured)]

    def step_by_step(seed: int) -> dict[str, np.ndarray]:
        twin = shuffled_twin(classifier, probe, few, seed=seed)
        found = collect(twin, LAYERS, probe, indices=chosen, quantile=QUANTILE)
        levels = {name: top_quantile_thresholds(layer, QUANTILE) for name, layer in found.layers.items()}
        maps = {name: layer.maps for name, layer in found.layers.items() if layer.maps is not None}
        counts = tally(maps, levels, labels, boxes=found.boxes)
        return {name: own.iou.max(axis=1) for name, own in counts.items()}

    part = ShownPart(classifier, LAYERS, probe, chosen, labels, QUANTILE)

    def together(seed: int) -> dict[str, np.ndarray]:
        return {name: layer.iou for name, layer in part.of(seed, "avg").items() if layer.iou is not None}

    shown = [batch_of(classifier, probe, chosen[at : at + 64])[0] for at in range(0, count, 64)]

    def passes(_: int) -> None:
        with torch.inference_mode():
            for batch in shown:
                classifier.network(batch)

    contenders = {"passes alone": passes, "step by step": step_by_step, "together": together}
    together(-1)  # what is made once
    clocks: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for seed in range(arguments.rounds):
        for name, work in contenders.items():
            wall, processor = time.perf_counter(), time.process_time()
            work(seed)
            clocks[name].append((time.process_time() - processor, time.perf_counter() - wall))
    print(f"shuffled networks of diorama/object, {count} images, {torch.get_num_threads()} thread(s)")
    best = {name: np.array(found).min(axis=0) for name, found in clocks.items()}
    for name, (processor, wall) in best.items():
        ratio, of_wall = best["step by step"] / best[name]
        print(
            f"  {name}: {processor:.3f} s of processor, {wall:.3f} s; "
            f"step by step takes {ratio:.2f} ({of_wall:.2f}) times"
        )
    moved = [
        np.abs(one[name] - other[name]).max()
        for one, other in [(step_by_step(0), together(0))]
        for name in LAYERS
    ]
    print(f"  best IoUs differ by at most {max(moved):.2g}")


def _probe(count: int) -> ArrayProbe:
    scenes = [render(describe("probe", index)) for index in range(count)]
    labels = [
        {name: broden_numbers(scene, SIDE // 2)[name][None] for name in PIXEL_CATEGORIES} for scene in scenes
    ]
    kinds = {word: next(kind for kind, own in VOCABULARY.items() if word in own) for word in NUMBERS}
    table = pd.DataFrame({"number": NUMBERS.values(), "name": NUMBERS.keys(), "category": kinds.values()})
    return ArrayProbe([scene.image for scene in scenes], labels, table)
