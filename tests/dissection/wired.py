"""A hand-wired network over scenes of the embedded world: what each of its units detects is known because it was wired.

Its pictures are label maps in colours: red is the pixel's object, green its part, blue a smooth noise that has nothing
to do with either. A unit is a hat function of one channel around one label's value, made of two 1 x 1 convolutions, a
little weaker where the noise is low (or most of its values would be exactly equal, and none above the others), and
averaged over 4 x 4 pixels.
"""

import numpy as np
import pandas as pd
import torch
from torch import nn

from tests.dissection.conftest import build_classifier
from xai_assets.dissection.probe import ArrayProbe
from xai_assets.world.description import describe
from xai_assets.world.labels import NUMBERS, broden_numbers
from xai_assets.world.render import render
from xai_assets.world.vocabulary import LABEL, PIXEL_CATEGORIES, SIDE, VOCABULARY

OBJECTS = ("dog", "car", "butterfly", "house", "chair", "teapot", "boat", "flower")
PARTS = ("wheel", "sail", "roof", "petal")
TWICE = ("dog", "wheel")
BOTH = ("fish", "truck")
DEAD, NOISE = 4, 12
FADE = 0.4
OBJECT_STEP, PART_STEP = 4, 6
"""Grey values between two labels: 49 objects and 37 parts stay below 255."""


def wired_units():
    """What each unit detects, in order: a word, two words, "" for noise and None for the dead."""
    return [*OBJECTS, *PARTS, *TWICE, BOTH, *[None] * DEAD, *[""] * NOISE]


class Wired(nn.Module):
    """`units`: the wired maps, 32 x 32 for 128 x 128 pixels."""

    def __init__(self):
        super().__init__()
        hats = []  # of each unit: (channel, centre, half width) in 0..1
        for word in wired_units():
            if word is None:
                hats.append([])
            elif word == "":
                hats.append([(2, 0.1 + 0.8 * len(hats) / 32, 0.06)])
            else:
                hats.append([_hat(part) for part in ([word] if isinstance(word, str) else word)])
        total = sum(map(len, hats))
        edges, units = nn.Conv2d(3, 3 * total + 1, 1), nn.Conv2d(3 * total + 1, len(hats), 1)
        with torch.no_grad():
            for layer in (edges, units):
                layer.weight.zero_()
                layer.bias.zero_()
            at = 0
            edges.weight[-1, 2] = 1  # the noise itself
            for unit, bumps in enumerate(hats):
                units.bias[unit] = -FADE if bumps else -1  # dead: never above zero
                if bumps:
                    units.weight[unit, -1] = FADE
                for channel, centre, half in bumps:
                    for offset, slope in ((-half, 1.0), (0.0, -2.0), (half, 1.0)):
                        edges.weight[at, channel] = 1
                        edges.bias[at] = -(centre + offset)
                        units.weight[unit, at] = slope / half
                        at += 1
        self.edges = nn.Sequential(edges, nn.ReLU())
        self.units = nn.Sequential(units, nn.ReLU(), nn.AvgPool2d(4))

    def forward(self, x):
        return self.units(self.edges(x)).mean((2, 3))


def _hat(word):
    category = "object" if word in LABEL["object"] else "part"
    step = OBJECT_STEP if category == "object" else PART_STEP
    return (0 if category == "object" else 1), LABEL[category][word] * step / 255, 0.9 * step / 255


def wired_scenes(count, seed=0):
    """The network, its coded probe set with the world's labels, and the same scenes as pictures for an encoder."""
    generator = np.random.default_rng(seed)
    coded, pictures, labels = [], [], []
    for scene in _scenes(count):
        noise = np.kron(generator.random((16, 16)), np.ones((8, 8)))[:SIDE, :SIDE]
        code = np.stack(
            [scene.labels["object"] * OBJECT_STEP, scene.labels["part"] * PART_STEP, noise * 255], axis=-1
        )
        coded.append(code.astype(np.uint8))
        pictures.append(scene.image)
        labels.append(_labels(scene))
    return build_classifier(Wired()), ArrayProbe(coded, labels, _concepts()), pictures


def labelled_scenes(count):
    """Scenes of the embedded world as a probe set in memory, with its pixel labels."""
    scenes = list(_scenes(count))
    return ArrayProbe([scene.image for scene in scenes], [_labels(scene) for scene in scenes], _concepts())


def _scenes(count):
    return (render(describe("probe", index)) for index in range(count))


def _labels(scene):
    numbers = broden_numbers(scene, SIDE // 2)
    return {name: numbers[name][None] for name in PIXEL_CATEGORIES}


def _concepts():
    return pd.DataFrame(
        [
            {
                "number": number,
                "name": word,
                "category": next(c for c, words in VOCABULARY.items() if word in words),
            }
            for word, number in NUMBERS.items()
        ]
    )
