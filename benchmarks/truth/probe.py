"""Near-duplicates, domains and grouped noise: what is found, and how often something is found that is not there.

Made-up probes: crops, bursts and copies of scikit-image's photographs and of scenes of the embedded world; the scenes
themselves, which are all different; and units that know nothing but one random number a photograph.
"""

import io
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from skimage import data

from xai_assets.analysis.domain import heard, of_classifier, of_encoder, scene_reference
from xai_assets.dissection.clip_dissect import dissect
from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.domain import (
    ASKED_IMAGES,
    ENOUGH_IMAGES,
    MAX_SHIFT,
    MAX_SHIFT_OF_FEW,
    Norms,
    Shift,
    shift_of,
)
from xai_assets.dissection.domain_reference import MAX_P, numbers_of
from xai_assets.dissection.exchangeable import enough, image_permutations
from xai_assets.dissection.near_duplicates import local_features, near_groups, same_photograph
from xai_assets.dissection.parameters import SoftWPMI
from xai_assets.dissection.pixel_significance import pixel_significance
from xai_assets.dissection.probe import ArrayProbe
from xai_assets.dissection.significance import significance
from xai_assets.settings import Settings
from xai_assets.vision.classifiers import load_classifier
from xai_assets.vision.encoders import load_encoder
from xai_assets.world.concepts import concepts
from xai_assets.world.description import describe
from xai_assets.world.render import render

PHOTOGRAPHS = (
    "astronaut", "camera", "chelsea", "coffee", "rocket", "coins", "cell", "hubble_deep_field",
    "immunohistochemistry", "moon", "page", "retina", "clock",
)  # fmt: skip
TEXTURES = ("brick", "grass", "gravel")
SCENES = 200
SIDE = 160
CROPS = 8
UNITS = 64

Row = dict[str, Any]


def rows(trials: int) -> list[Row]:
    """Detection and false-alarm rates, and the share of units that are said to be beyond chance.

    Args:
        trials: pairs, samples of images or probes a row.
    """
    return [*_copies(trials), *_distinct(), *_domains(trials), *_noise(max(1, trials // 20))]


def _row(family: str, n: int, found: list[bool], note: str, *, there: bool) -> Row:
    """`decided`: share of false alarms; `power`: share found of what is there."""
    share = float(np.mean(found))
    se = float(np.sqrt(max(share * (1 - share), 1 / len(found)) / len(found)))
    known = {"power": share, "decided": None} if there else {"decided": share, "power": None}
    return {"family": family, "n": n, **known, "se": se, "effect": None, "note": note}


@cache
def photographs() -> dict[str, np.ndarray]:
    """scikit-image's own, in colour."""
    found = {}
    for name in (*PHOTOGRAPHS, *TEXTURES):
        image = np.asarray(getattr(data, name)())
        found[name] = np.stack([image] * 3, -1) if image.ndim == 2 else np.ascontiguousarray(image[..., :3])
    return found


@cache
def scenes() -> tuple[np.ndarray, ...]:
    """Distinct ones of the embedded world."""
    return tuple(render(describe("probe", index)).image for index in range(SCENES))


def crop(image: np.ndarray, generator: np.random.Generator, least: float, most: float = 1.0) -> np.ndarray:
    """A square of a share of the shorter side's square, anywhere, mirrored half the time, scaled to SIDE."""
    height, width = image.shape[:2]
    side = int(min(height, width) * np.sqrt(generator.uniform(least, most)))
    top, left = generator.integers(0, height - side + 1), generator.integers(0, width - side + 1)
    part = image[top : top + side, left : left + side]
    part = part[:, ::-1] if generator.random() < 0.5 else part
    how = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(part), (SIDE, SIDE), interpolation=how))


def burst(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The next shot: a little moved, turned, lighter or darker, with noise."""
    height, width = image.shape[:2]
    moved = cv2.getRotationMatrix2D(
        (width / 2, height / 2), generator.uniform(-3, 3), generator.uniform(0.97, 1.05)
    )
    moved[:, 2] += generator.uniform(-0.03, 0.03, 2) * width
    shot = cv2.warpAffine(image, moved, (width, height), borderMode=cv2.BORDER_REFLECT)
    shot = shot * generator.uniform(0.9, 1.1) + generator.normal(0, 4, image.shape)
    return np.asarray(shot.clip(0, 255).astype(np.uint8))


def packed(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Scaled by 0.5 to 1.5 and saved as JPEG of quality 40 to 90."""
    scale, kept = generator.uniform(0.5, 1.5), io.BytesIO()
    size = [int(side * scale) for side in image.shape[1::-1]]
    Image.fromarray(image).resize((size[0], size[1])).save(
        kept, "JPEG", quality=int(generator.integers(40, 90))
    )
    return np.asarray(Image.open(kept).convert("RGB"))


Copy = Callable[[np.ndarray, np.random.Generator], np.ndarray]
COPIES: dict[str, Copy] = {
    "crops of 60 to 100 %": lambda image, generator: crop(image, generator, 0.6),
    "crops of 30 to 100 %": lambda image, generator: crop(image, generator, 0.3),
    "bursts": burst,
    "scaled and JPEG": packed,
}


def _copies(trials: int) -> Iterator[Row]:
    shown = photographs()
    for of, images in (
        ("photographs", [shown[name] for name in PHOTOGRAPHS]),
        ("scenes", list(scenes()[:60])),
    ):
        for what, copy in COPIES.items():
            generator = np.random.default_rng(0)
            found = []
            for trial in range(trials):
                image = images[trial % len(images)]
                one, two = (local_features(copy(image, generator)) for _ in range(2))
                found.append(same_photograph(one, two))
            yield _row(
                f"near-duplicates: {what} of {of}", 2, found, "pairs of one image that are found", there=True
            )


def _distinct() -> Iterator[Row]:
    groups = near_groups(ArrayProbe(list(scenes())))
    joined = [bool(group != at) for at, group in enumerate(groups)]
    yield _row("near-duplicates: distinct scenes", SCENES, joined, "scenes joined to another", there=False)
    features = [local_features(image) for image in photographs().values()]
    pairs = [same_photograph(one, two) for at, one in enumerate(features) for two in features[:at]]
    yield _row(
        "near-duplicates: photographs and textures",
        len(features),
        pairs,
        "pairs that are joined",
        there=False,
    )


def _domains(trials: int) -> Iterator[Row]:
    generator = np.random.default_rng(0)
    shown = photographs()
    probes = {
        "scenes": list(scenes()[:96]),
        "mixed photographs": [crop(shown[name], generator, 0.5) for name in shown for _ in range(4)],
    }
    settings = Settings.from_environment()
    encoder = of_encoder(load_encoder("diorama/clip", settings, device="cpu"))
    networks = {
        name: of_classifier(load_classifier(name, settings, device="cpu"))
        for name in ("diorama/object", "diorama/scene")
    }
    for name, asked in {**networks, "diorama/clip": encoder}.items():
        reference = scene_reference(asked)
        for probe, images in probes.items():
            distances = reference.distances(numbers_of(heard(asked, images).moments()))
            for n in (2, 3, 5, 6, 8, 10, 12, ASKED_IMAGES, 30):
                drawn = np.random.default_rng(n)
                found = [
                    reference.counted(distances[drawn.choice(len(images), n, replace=False)]).known is False
                    for _ in range(trials)
                ]
                note = f"samples of {len(images)} images with more far ones than known scenes have (p at most {MAX_P:g})"
                yield _row(f"domain: {name} on {probe}", n, found, note, there=probe != "scenes")
    torch.manual_seed(0)
    for module in encoder.network.modules():
        anew: Any = getattr(module, "reset_parameters", None)
        if anew is not None:
            anew()
    norms = heard(encoder, probes["scenes"])
    for n in (8, 12, ASKED_IMAGES):
        drawn = np.random.default_rng(n)
        shifts = [_shift(norms, drawn.choice(96, n, replace=False)) for _ in range(trials)]
        limit = MAX_SHIFT if n >= ENOUGH_IMAGES else MAX_SHIFT_OF_FEW
        note = f"samples of 96 images that lie more than {limit:g} from the batch normalisation's statistics"
        yield _row(
            "domain: random encoder on scenes", n, [not shift.known for shift in shifts], note, there=True
        )


def _shift(norms: Norms, chosen: np.ndarray) -> Shift:
    found = shift_of(norms.modules, {name: values[chosen] for name, values in norms.moments().items()})
    assert found is not None
    return found


def _noise(probes: int) -> Iterator[Row]:
    """Units that know one random number a photograph, with and without noise: words and pixel labels."""
    encoder = load_encoder("diorama/clip", Settings.from_environment(), device="cpu")
    texts = encoder.embed_texts([concept.name for concept in concepts()])
    for noise in (0.0, 0.5):
        words: list[bool] = []
        alone: list[bool] = []
        labels: list[bool] = []
        for probe in range(probes):
            generator = np.random.default_rng([probe, int(10 * noise)])
            shown = photographs()
            images = [crop(shown[name], generator, 0.3) for name in PHOTOGRAPHS for _ in range(CROPS)]
            photograph = np.repeat(np.arange(len(PHOTOGRAPHS)), CROPS)
            groups = near_groups(ArrayProbe(images))
            assert enough(groups)
            units = generator.standard_normal((len(PHOTOGRAPHS), UNITS))[photograph]
            units += (noise or 1e-4) * generator.standard_normal(units.shape)
            space = ConceptSpace(encoder.embed_images(images), texts)
            for given, into in ((groups, words), (None, alone)):
                found = dissect(
                    space, {"units": units.astype(np.float32)}, SoftWPMI(top_k=20, a=0.5, permutations=999),
                    seed=probe, groups=given,
                )["units"]  # fmt: skip
                into += (significance(found.scores[:, 0], found.null, found.ranked).q < 0.05).tolist()  # type: ignore[arg-type]
            labels += _labelled(units, photograph, groups, generator, probe)
        kind = "a photograph" + (" and noise" if noise else "")
        said = f"crops of {len(PHOTOGRAPHS)} photographs, {CROPS} each: units with q < 0.05"
        yield _row(f"words: one number {kind}", len(photograph), words, said, there=False)
        yield _row(
            f"pixel labels: one number {kind}", len(photograph), labels, f"{said}, 40 labels of one share each",
            there=False,
        )  # fmt: skip
        row = _row(f"words: one number {kind}, not grouped", len(photograph), alone, said, there=False)
        yield row | {"power": row["decided"], "decided": None, "note": f"{said}: what grouping is for"}


def _labelled(
    units: np.ndarray, photograph: np.ndarray, groups: np.ndarray, generator: np.random.Generator, seed: int
) -> list[bool]:
    """The best overlap with labels that each photograph shows more or less of, against whole-group permutations."""
    shares = generator.random((photograph.max() + 1, 40))[photograph] ** 3  # n c
    on = units > np.quantile(units, 0.8, axis=0)  # n u

    def best(order: np.ndarray) -> np.ndarray:
        both = on.T.astype(float) @ shares[order]
        return np.asarray((both / (on.sum(0)[:, None] + shares.sum(0) - both)).max(axis=1))

    orders = image_permutations(len(units), 20, seed=seed, groups=groups)
    own = best(np.arange(len(units)))
    trust = pixel_significance(own, np.stack([best(order) for order in orders]), np.ones(len(own), bool))
    return (trust.q < 0.05).tolist()
