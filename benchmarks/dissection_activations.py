"""Activations: one pass for several layers, with all that is kept of them, against the network's plain pass.

Both are shown the same batches of pictures that stand in memory already, and both preprocess them; nothing is decoded.
Rounds alternate, and each contender's fastest round counts, which is the one that was disturbed least. Weights of the
networks for 224 pixels are random: they cost what trained ones cost.
"""

import argparse
import os
import time
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import torch

from xai_assets.dissection.activations import collect
from xai_assets.dissection.passes import batch_of
from xai_assets.dissection.probe import ArrayProbe
from xai_assets.settings import Settings
from xai_assets.vision.architectures import build
from xai_assets.vision.classifiers import load_classifier
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import PreprocessingSpec
from xai_assets.world.description import describe
from xai_assets.world.render import render

LAYERS = ("layer2", "layer3", "layer4")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--images", type=int, default=2048, help="for Diorama's network; an eighth for the others"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--networks", nargs="*", default=["torchvision/resnet18", "torchvision/resnet50"])


def run(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    print(
        f"activations of {', '.join(LAYERS)}, {torch.get_num_threads()} thread(s), batches of {arguments.batch}"
    )
    scenes = [render(describe("train", index)).image for index in range(arguments.images)]
    _contest(load_classifier("diorama/object", Settings.from_environment()), scenes, arguments)
    for name in arguments.networks:
        torch.manual_seed(0)
        classifier = SimpleNamespace(
            name=name,
            network=build(name, 1000).eval().requires_grad_(False),
            device=torch.device("cpu"),
            preprocessing=Preprocessing(PreprocessingSpec(mode="squash", size=224)),
        )
        _contest(classifier, scenes[: max(arguments.images // 8, 1)], arguments)


def _contest(classifier, scenes: list[np.ndarray], arguments: argparse.Namespace) -> None:
    probe = ArrayProbe(scenes)

    def plain() -> None:
        with torch.inference_mode():
            for start in range(0, len(probe), arguments.batch):
                indices = range(start, min(start + arguments.batch, len(probe)))
                classifier.network(batch_of(classifier, probe, indices)[0])

    kept = []

    def collected() -> None:
        kept[:] = [collect(classifier, LAYERS, probe, batch_size=arguments.batch)]

    first, second = _fastest((plain, collected), arguments.rounds)
    cells, values = 0, 0
    for layer in kept[0].layers.values():
        cells += int((layer.maps.stop - layer.maps.start).sum())
        values += int(np.prod(layer.maps.shape))
    print(
        f"  {classifier.name}: {len(probe)} images, plain {first:.2f} s, collected {second:.2f} s of processor: "
        f"{second / first:.3f} times; {cells / values:.1%} of the cells are kept"
    )


def _fastest(contenders: tuple[Callable[[], None], ...], rounds: int) -> list[float]:
    seconds: list[list[float]] = [[] for _ in contenders]
    for _ in range(rounds):
        for found, work in zip(seconds, contenders, strict=True):
            start = time.process_time()
            work()
            found.append(time.process_time() - start)
    return [min(found) for found in seconds]
