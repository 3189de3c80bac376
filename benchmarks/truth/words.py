"""Words, labels and categories of units: what is said of noise and of untrained networks, and what is found.

A made-up probe set whose images each show some of 40 words, an encoder that sees them with noise, and layers whose units
are known: noise, copies of one another, or followers of a word. And networks with shuffled weights of the embedded
world's object classifier, each looked at as if it were the trained one.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import torch

from xai_assets.dissection.activations import collect
from xai_assets.dissection.agreement import name_agreement
from xai_assets.dissection.category_comparison import category_comparison
from xai_assets.dissection.clip_dissect import dissect
from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.concepts import clip_table
from xai_assets.dissection.label_segments import read_labels
from xai_assets.dissection.netdissect import tally
from xai_assets.dissection.parameters import SoftWPMI
from xai_assets.dissection.presence import WordTruth
from xai_assets.dissection.presence_null import presence_null
from xai_assets.dissection.presence_summary import presence_summary
from xai_assets.dissection.probe import ArrayProbe
from xai_assets.dissection.shuffled import shuffled_twin
from xai_assets.dissection.shuffled_null import FEWEST_NETWORKS, against_shuffled
from xai_assets.dissection.thresholds import top_quantile_thresholds
from xai_assets.dissection.word_control import on_part, word_control
from xai_assets.evaluation.decision import Answer
from xai_assets.settings import Settings
from xai_assets.vision.classifiers import load_classifier
from xai_assets.vision.encoders import load_encoder
from xai_assets.world.concepts import concepts
from xai_assets.world.description import describe
from xai_assets.world.labels import NUMBERS, broden_numbers
from xai_assets.world.render import render
from xai_assets.world.vocabulary import PIXEL_CATEGORIES, SIDE, VOCABULARY

WORDS, IMAGES, UNITS, SHOWN, SPREAD = 40, 400, 64, 20, 0.1
PARAMETERS = SoftWPMI(top_k=40, a=10, permutations=999)
NUMBER = (2, 3, 5, 6, 8, 10, 12, 30)
TWINS, SCENES = 41, 250
LAYERS = ("layer2", "layer3", "layer4")

Row = dict[str, Any]


def rows(trials: int) -> list[Row]:
    """How often something is said of units where there is nothing, and how often what is there is found.

    Args:
        trials: layers, pairs of models or sets of networks a row; a quarter of them where words are chosen.
    """
    return [
        *_words(max(1, trials // 4)),
        *_networks(trials),
        *_twins(min(TWINS, trials)),
        *_categories(trials),
        *_names(max(1, trials // 4)),
    ]


def _row(
    family: str, n: int, decided: list[bool], found: list[float], effect: float | None, note: str
) -> Row:
    share = float(np.mean(decided))
    return {
        "family": family,
        "n": n,
        "decided": share,
        "se": float(np.sqrt(max(share * (1 - share), 1 / len(decided)) / len(decided))),
        "power": float(np.mean(found)) if found else None,
        "effect": effect,
        "note": note,
    }


# --- words ---------------------------------------------------------------------------------------------------------


def probe(generator: np.random.Generator, *, ordered: bool = False) -> tuple[ConceptSpace, WordTruth]:
    """Images that show one of eight classes and words by chance; `ordered`: by class, as folders of classes are."""
    classes = generator.integers(0, 8, IMAGES)
    present = generator.random((IMAGES, WORDS)) < generator.uniform(0.03, 0.3, WORDS)
    present[:, :8] = (np.sort(classes) if ordered else classes)[:, None] == np.arange(8)
    cosines = 0.2 + SPREAD * present + 0.03 * generator.standard_normal(present.shape)
    return ConceptSpace.from_similarity(cosines), WordTruth(present, np.ones(WORDS, bool))


def noise(generator: np.random.Generator) -> np.ndarray:
    """Units that know nothing: float32 (n, u)."""
    return generator.standard_normal((IMAGES, UNITS)).astype(np.float32)


def copies(generator: np.random.Generator) -> np.ndarray:
    """Four random units and what is nearly a copy of one of them."""
    few = generator.standard_normal((IMAGES, 4))
    return (few[:, np.arange(UNITS) % 4] + 0.3 * generator.standard_normal((IMAGES, UNITS))).astype(
        np.float32
    )


def sparse(generator: np.random.Generator) -> np.ndarray:
    """Units that fire on three random images each."""
    values = np.zeros((IMAGES, UNITS), np.float32)
    for unit in range(UNITS):
        values[generator.choice(IMAGES, 3, replace=False), unit] = 1 + generator.random(3)
    return values


def table_of(space: ConceptSpace, truth: WordTruth, values: np.ndarray, seed: int) -> pd.DataFrame:
    """The words of a layer, as a study without shuffled networks has them."""
    ids, words = [f"class/{image}" for image in range(IMAGES)], [f"word {at}" for at in range(WORDS)]
    found = dissect(space, {"l": values}, PARAMETERS, seed=seed, ids=ids)["l"]
    null = presence_null(space, values, found.ranked, truth, PARAMETERS, top_k=SHOWN, seed=seed, ids=ids)
    dead = np.zeros(values.shape[1], bool)
    return clip_table("m", "l", found, values, dead, ids, words, truth=truth, truth_top_k=SHOWN, null=null)


def _words(trials: int) -> list[Row]:
    kinds: dict[str, tuple[Callable[[np.random.Generator], np.ndarray], bool]] = {
        "noise": (noise, False), "near copies of four units of noise": (copies, False),
        "three images each, probe sorted by class": (sparse, True),
    }  # fmt: skip
    found: list[Row] = []
    for name, (make, ordered) in kinds.items():
        any_unit, present, planted, above = [], [], [], []
        for trial in range(trials):
            generator = np.random.default_rng([7, trial])
            space, truth = probe(generator, ordered=ordered)
            values = make(generator)
            table = table_of(space, truth, values, trial)
            any_unit.append(bool(table["beyond_chance"].any()))
            present.append(presence_summary(table)["answer"].iloc[0] != Answer.CANNOT_TELL)
            if name == "noise":
                values[:, :16] += 2 * truth.present[:, :16]
                table = table_of(space, truth, values, trial)
                planted.append(float(table["beyond_chance"][:16].mean()))
                above.append(presence_summary(table)["answer"].iloc[0] == Answer.YES)
        effect, shown = (2.0 if planted else None), [*map(float, above)]
        found += [
            _row(f"a layer has words beyond chance: {name}", IMAGES, any_unit, planted, effect, OF_WORDS),
            _row(f"words are truly present: {name}", IMAGES, present, shown, effect, OF_WORDS),
        ]
    return found


OF_WORDS = (
    f"words of layers of {UNITS} units on {IMAGES} images, other images as the only control; power: the share of 16 "
    "units that follow a word (effect: by so many standard deviations) and have a word beyond chance, and of layers with "
    "them whose words are said to be present"
)


# --- networks as the unit of the null ------------------------------------------------------------------------------


def _networks(trials: int) -> list[Row]:
    found = []
    for spread in (0.0, 0.5, 2.0):
        decided, power = [], []
        for trial in range(trials):
            generator = np.random.default_rng([11, trial])
            shift = (
                generator.exponential(spread, FEWEST_NETWORKS + 1)
                if spread
                else np.zeros(FEWEST_NETWORKS + 1)
            )
            scores = [each + generator.standard_normal(UNITS) for each in shift]
            living = np.ones(UNITS, bool)
            decided.append(bool(against_shuffled(scores[0], living, scores[1:]).beyond.any()))
            trained = scores[0].copy()
            trained[:16] += 4 + 2 * spread
            power.append(float(against_shuffled(trained, living, scores[1:]).beyond[:16].mean()))
        name = f"a layer beats {FEWEST_NETWORKS} drawn networks that differ by {spread:g} standard deviations"
        found.append(_row(name, FEWEST_NETWORKS, decided, power, 4 + 2 * spread, OF_NETWORKS))
    return found


OF_NETWORKS = (
    f"a network held against networks like it, n of them, {UNITS} units each; power: the share of 16 units, which score "
    "higher by the effect, that are beyond chance"
)


@cache
def twins() -> tuple[list[dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]], ConceptSpace, list[str]]:
    """The trained classifier and its shuffled ones: by layer pooled activations, dead units and best IoUs."""
    torch.set_num_threads(1)
    scenes = [render(describe("probe", index)) for index in range(SCENES)]
    known = [
        {name: broden_numbers(scene, SIDE // 2)[name][None] for name in PIXEL_CATEGORIES} for scene in scenes
    ]
    kinds = {word: next(kind for kind, own in VOCABULARY.items() if word in own) for word in NUMBERS}
    table = pd.DataFrame({"number": NUMBERS.values(), "name": NUMBERS.keys(), "category": kinds.values()})
    probed = ArrayProbe([scene.image for scene in scenes], known, table)
    labels, settings = read_labels(probed), Settings.from_environment()
    trained = load_classifier("diorama/object", settings)
    networks = []
    for number in range(TWINS + 1):
        network = trained if not number else shuffled_twin(trained, probed, range(0, SCENES, 4), seed=number)
        seen = collect(network, LAYERS, probed)
        maps = {name: layer.maps for name, layer in seen.layers.items() if layer.maps is not None}
        levels = {name: top_quantile_thresholds(layer) for name, layer in seen.layers.items()}
        ious = {name: own.iou.max(axis=1) for name, own in tally(maps, levels, labels).items()}
        networks.append({name: (own.pooled, own.dead, ious[name]) for name, own in seen.layers.items()})
    encoder = load_encoder("diorama/clip", settings, device="cpu")
    images = np.concatenate(
        [
            encoder.embed_images(np.stack([scene.image for scene in scenes[at : at + 50]]))
            for at in range(0, SCENES, 50)
        ]
    )
    return (
        networks,
        ConceptSpace(images, encoder.embed_texts([one.name for one in concepts()])),
        list(probed.ids),
    )


def _twins(count: int) -> list[Row]:
    networks, space, ids = twins()
    parameters = on_part(SoftWPMI(a=0.5), SCENES / 1000)
    by_method: dict[str, list[bool]] = {"words": [], "labels": []}
    kept: dict[str, list[float]] = {"words": [], "labels": []}
    for one in range(count + 1):  # the trained one first
        others = [at for at in range(1, TWINS + 1) if at != one]
        chosen = np.random.default_rng(one).permutation(others)[:FEWEST_NETWORKS]
        for layer in LAYERS if one else ("layer4",):
            pooled, dead, iou = networks[one][layer]
            pairs = [networks[at][layer][:2] for at in chosen]
            beyond = {
                "words": word_control(space, (pooled, dead), pairs, parameters, ids=ids).units.beyond,
                "labels": against_shuffled(
                    iou, ~dead, [networks[at][layer][2][~networks[at][layer][1]] for at in chosen]
                ).beyond,
            }
            for method, units in beyond.items():
                if one:
                    by_method[method].append(bool(units.any()))
                else:
                    kept[method].append(float(units.mean()))
    return [
        _row(
            f"a layer of a shuffled network has {method}",
            FEWEST_NETWORKS,
            found,
            kept[method],
            None,
            OF_TWINS,
        )
        for method, found in by_method.items()
    ]


OF_TWINS = (
    f"each of {TWINS} networks with the shuffled weights of the embedded world's object classifier, three layers of it "
    "held against n others; power: the share of units of the trained network's layer4 that are beyond these"
)


# --- two models, and two methods -----------------------------------------------------------------------------------


def _model(name: str, generator: np.random.Generator, count: int, *, favours: float = 0.0) -> pd.DataFrame:
    """A layer of 256 units that stand for words of four categories, `count` words each, in clusters of a word."""
    kinds = np.repeat(["object", "part", "scene", "color"], count)
    weights = generator.lognormal(0, 1.5, len(kinds)) * np.where(kinds == "object", 1 + favours, 1)
    units = generator.choice(len(kinds), 256, p=weights / weights.sum())
    table = {"model": name, "layer": "l", "unit": range(256), "dead": False, "beyond_chance": True}
    return pd.DataFrame(table | {"concept": [f"word {at}" for at in units], "category": kinds[units]})


def _categories(trials: int) -> list[Row]:
    found = []
    for count in NUMBER:
        decided, power = [], []
        for trial in range(trials):
            generator = np.random.default_rng([13, count, trial])
            for favours, into in ((0.0, decided), (9.0, power)):
                both = [_model("a", generator, count, favours=favours), _model("b", generator, count)]
                table = category_comparison(pd.concat(both, ignore_index=True), pd.DataFrame()).set_index(
                    "category"
                )
                told = table["answer"] != Answer.CANNOT_TELL
                into.append(bool(told.any() if not favours else told.get("object", False)))
        found.append(
            _row("two models differ in a category", count, decided, [*map(float, power)], 10.0, OF_CATEGORIES)
        )
    return found


OF_CATEGORIES = (
    "last layers of two models whose words have sizes drawn alike, n words a category and four categories: any of them "
    "is said to differ; power: that one is, whose words come so many times as often in one model (effect)"
)


def _names(trials: int) -> list[Row]:
    found = []
    for count in NUMBER:
        decided, power = [], []
        for trial in range(trials):
            generator = np.random.default_rng([17, count, trial])
            words = generator.integers(0, count, 48)
            labels = generator.integers(0, count, 48)
            same = np.where(generator.random(48) < 0.4, words, labels)
            for given, into in ((labels, decided), (same, power)):
                table = pd.DataFrame(
                    {"model": "m", "layer": "l", "unit": range(48), "category": "", "dead": False}
                )
                clip = table.assign(concept=[f"word {at}" for at in words])
                net = table.assign(concept=[f"word {at}" for at in given], detector=True)
                answer = name_agreement(clip, net, seed=trial)["answer"].iloc[0]
                into.append(answer == Answer.YES if into is power else answer != Answer.CANNOT_TELL)
        found.append(
            _row("two methods give units one name", count, decided, [*map(float, power)], 0.4, OF_NAMES)
        )
    return found


OF_NAMES = (
    "48 units named by two methods out of n words that have nothing to do with each other; power: where a share of the "
    "units (effect) has the same name"
)
