"""ScoreCAM's fast mode against the exact map: what its maps claim, what is true, and what it takes.

    python -m benchmarks.fast_scorecam --cache DIR                    # writes docs/fast-scorecam.md and its data
    python -m benchmarks.fast_scorecam --cache DIR --images DIR       # with photographs of one's own as well
    python -m benchmarks.fast_scorecam --cache DIR --scores-only      # what takes long, in pieces: stops after 400 s

Every channel of every image is scored once (1,280 passes an image for EfficientNet-Lite0) and kept in the cache; the
sequential design is then asked of the kept scores, with several seeds, which takes no pass. What `WIDER` and
`BOUND` of `score_fast` were set on is marked; all others are unseen.
"""

import argparse
import csv
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from xai_assets.attribution import cams, score_fast
from xai_assets.attribution.capture import capture
from xai_assets.attribution.guard import untouched
from xai_assets.attribution.parameters import ScoreCAMParameters
from xai_assets.attribution.score import enlarged
from xai_assets.attribution.score_fast import FastWeights, fast_weights
from xai_assets.settings import Settings
from xai_assets.vision.classifiers import Classifier, load_classifier
from xai_assets.vision.images import read_image
from xai_assets.vision.layers import get_layer
from xai_assets.vision.layout_reader import LayoutReader
from xai_assets.vision.packaged import packaged_file
from xai_assets.world.training.data import render_split

DOCUMENT = Path(__file__).parents[1] / "docs" / "fast-scorecam.md"
DATA = DOCUMENT.with_suffix(".csv")
SCENES = 24
SEEDS = (0, 1)
SET_ON = ({f"test {number}" for number in range(6)}, {"n01443537_goldfish", "n01491361_tiger_shark"})
"""Scenes, at layer4 of `diorama/object`, and photographs that `WIDER` and `BOUND` of `score_fast` were set on."""

DIORAMA = (("diorama/object", "layer4"), ("diorama/scene", "layer4"), ("diorama/object", "layer3"))
LITE = ("lite/efficientnet-lite0", "bn2")
PHOTOGRAPHS = tuple(f"skimage/data/{name}" for name in (
    "astronaut.png", "camera.png", "chelsea.png", "clock_motion.png", "coffee.png", "coins.png", "motorcycle_left.png",
    "rocket.jpg",
)) + ("sklearn/datasets/images/china.jpg", "sklearn/datasets/images/flower.jpg",
      "matplotlib/mpl-data/sample_data/grace_hopper.jpg")  # fmt: skip
LONGEST = 400.0
HEAD = """# ScoreCAM's fast mode: claimed and true IoU

Written by `python -m benchmarks.fast_scorecam`: do not edit. With `scorecam: {mode: fast}` some of a layer's channels are
scored and the others predicted (`xai_assets/attribution/score_fast.py`). Every map says which IoU with the mask of the
exact map is to be expected, both masks at half of the map's range, and claims a lower bound that is meant to hold for 9
of 10 maps. "Set on" are the maps that the widths of the prediction were set on; all others are unseen. Of each image
there are a map of its first class and one of the difference of its two first classes, each with several seeds. One row a
map is in `fast-scorecam.csv`: plot `true` over `claimed`.
"""


@dataclass(frozen=True)
class Exact:
    """One image, of which every channel was scored: `maps` c h' w', `logits` c k, the image's `own` (k), its size."""

    group: str
    name: str
    seen: bool
    maps: np.ndarray
    logits: np.ndarray
    own: np.ndarray
    size: tuple[int, int]


@dataclass(frozen=True)
class Held:
    """A fast map held against the exact one."""

    group: str
    seen: bool
    image: str
    asked: str
    seed: int
    channels: int
    scored: int
    expected: float
    claimed: float
    true: float


def hold(case: Exact, scores: np.ndarray, asked: str, seed: int) -> Held:
    """The fast map of kept scores (c float64)."""
    constant = case.maps.min(axis=(1, 2)) == case.maps.max(axis=(1, 2))
    hidden = float(scores[constant][0]) if constant.any() else None
    defaults = ScoreCAMParameters(mode="fast")
    found: FastWeights = fast_weights(
        case.maps,
        constant,
        hidden,
        case.size,
        lambda channels: scores[channels],
        iou=defaults.iou,
        most=defaults.passes,
        seed=seed,
    )
    exact = score_fast.softmax(scores)
    own, true = (score_fast.mask(weights, case.maps, case.size) for weights in (found.weights, exact))
    return Held(
        case.group,
        case.seen,
        case.name,
        asked,
        seed,
        len(scores),
        len(found.scored),
        found.expected_iou,
        found.claimed_iou,
        score_fast.overlap(own, true),
    )


def holds(case: Exact) -> Iterator[Held]:
    """Its first class, and the difference of its first and second class, with every seed."""
    first, second = (int(index) for index in np.argsort(-case.own, kind="stable")[:2])
    logits = case.logits.astype(np.float64)
    for seed in SEEDS:
        yield hold(case, logits[:, first], "class", seed)
        yield hold(case, logits[:, first] - logits[:, second], "difference", seed)


class Cache:
    """Exact scores by model, layer and image, made where they are not there."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._started = folder, time.monotonic()

    def of(
        self, classifier: Classifier, layer: str, name: str, tensor: torch.Tensor
    ) -> dict[str, np.ndarray] | None:
        """Arrays of an image (1 3 h w, normalised); None where there is no time left to score it."""
        path = self._folder / classifier.name.replace("/", "-") / layer / f"{name}.npz"
        if not path.is_file():
            if time.monotonic() - self._started > LONGEST:
                return None
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(path, **_scored(classifier, layer, tensor))
        with np.load(path) as arrays:
            return dict(arrays)


def _scored(classifier: Classifier, layer: str, tensor: torch.Tensor) -> dict[str, np.ndarray]:
    scorer = cams.make_scorer(classifier, tensor, ScoreCAMParameters())
    with untouched(classifier.network) as network, torch.inference_mode():
        seen = capture(network, get_layer(network, layer), tensor)
        reader = LayoutReader(network, layer, None)
        maps = reader.of_maps(seen.output, tensor).maps(seen.output)[0].contiguous()
        size = (tensor.shape[-2], tensor.shape[-1])
        found = [
            scorer.network((enlarged(some, size) * tensor).contiguous(memory_format=torch.channels_last))
            for some in maps.split(32)
        ]
    return {
        "maps": maps.numpy(),
        "logits": torch.cat(found).numpy(),
        "own": seen.scores[0].numpy(),
        "size": np.array(size),
    }


def cases(cache: Cache, folder: Path | None) -> Iterator[Exact]:
    """All images; those that there was no time for are left out."""
    settings = Settings.from_environment()
    scenes = render_split("test", SCENES, workers=1).images
    for model, layer in DIORAMA:
        classifier = load_classifier(model, settings, device="cpu")
        for number, view in enumerate(scenes):
            arrays = cache.of(
                classifier, layer, f"{number:02d}", classifier.preprocessing.from_view(view[None])
            )
            if arrays is not None:
                name, first = f"test {number}", (model, layer) == DIORAMA[0]
                yield _case(f"{model} {layer}", name, first and name in SET_ON[0], arrays)
    classifier, layer = load_classifier(LITE[0], settings, device="cpu"), LITE[1]
    packaged = [path for name in PHOTOGRAPHS if (path := packaged_file(*name.split("/", 1))) is not None]
    own = sorted(folder.iterdir()) if folder else []
    for path in [*packaged, *own]:
        tensor = classifier.preprocessing.tensor(read_image(path).pixels)[None]
        arrays = cache.of(classifier, layer, path.stem, tensor)
        if arrays is not None:
            yield _case(f"{LITE[0]} {layer}", path.stem, path.stem in SET_ON[1], arrays)


def _case(group: str, name: str, seen: bool, arrays: dict[str, np.ndarray]) -> Exact:
    height, width = (int(side) for side in arrays["size"])
    return Exact(group, name, seen, arrays["maps"], arrays["logits"], arrays["own"], (height, width))


def section(rows: Sequence[Held]) -> str:
    """The tables: by network, and claims by tenths."""
    lines = [
        "| network and layer | images | maps | channels | scored, mean | expected IoU, mean | true, mean | lowest "
        "| claimed, mean | true below claim |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for group, seen in dict.fromkeys((row.group, row.seen) for row in rows):
        some = [row for row in rows if (row.group, row.seen) == (group, seen)]
        lines.append(f"| {group} | {'set on' if seen else 'unseen'} | {_numbers(some)} |")
    unseen = [row for row in rows if not row.seen]
    lines.append(f"| all | unseen | {_numbers(unseen)} |")
    lines += ["", "Unseen maps by what they claim:", ""]
    lines += ["| claimed | maps | claimed, mean | true, mean | true, lowest tenth | true below claim |"]
    lines += ["|---|--:|--:|--:|--:|--:|"]
    edges = (0.0, 0.9, 0.95, 0.98, 0.99, 1.01)
    for low, high in pairwise(edges):
        some = [row for row in unseen if low <= row.claimed < high]
        if some:
            true = [row.true for row in some]
            lines.append(
                f"| {low:.2f} to {min(high, 1):.2f} | {len(some)} | {np.mean([row.claimed for row in some]):.3f} | "
                f"{np.mean(true):.3f} | {np.quantile(true, 0.1):.3f} | {_below(some):.1%} |"
            )
    return "\n".join(lines) + "\n"


def _numbers(rows: Sequence[Held]) -> str:
    true = [row.true for row in rows]
    return (
        f"{len(rows)} | {max(row.channels for row in rows)} | {np.mean([row.scored for row in rows]):.0f} | "
        f"{np.mean([row.expected for row in rows]):.4f} | "
        f"{np.mean(true):.4f} | {min(true):.3f} | {np.mean([row.claimed for row in rows]):.3f} | {_below(rows):.1%}"
    )


def _below(rows: Sequence[Held]) -> float:
    return float(np.mean([row.true < row.claimed for row in rows]))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fast_scorecam", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--cache", type=Path, required=True, help="where exact scores are kept")
    parser.add_argument("--images", type=Path, help="photographs beside those of the packages")
    parser.add_argument("--scores-only", action="store_true", help="fill the cache")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[Held] = []
    for case in cases(Cache(options.cache), options.images):
        found = [] if options.scores_only else list(holds(case))
        rows += found
        print(
            case.group,
            case.name,
            *(f"{row.asked} {row.scored} {row.claimed:.3f} {row.true:.3f};" for row in found),
        )
    if options.scores_only:
        return
    DOCUMENT.write_text(f"{HEAD}\n{section(rows)}", encoding="utf-8")
    with DATA.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "network",
                "unseen",
                "image",
                "asked",
                "seed",
                "channels",
                "scored",
                "expected",
                "claimed",
                "true",
            ]
        )
        for row in rows:
            writer.writerow(
                [row.group, not row.seen, row.image, row.asked, row.seed, row.channels, row.scored,
                 f"{row.expected:.4f}", f"{row.claimed:.4f}", f"{row.true:.4f}"]
            )  # fmt: skip
    print(DOCUMENT)


if __name__ == "__main__":
    main()
