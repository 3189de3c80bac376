"""LIME against `lime`, in one process: seconds, peak memory, and the forward passes alone.

    python benchmarks/attribution_lime.py                     # resnet50, 224 px, 1000 samples
    python benchmarks/attribution_lime.py --samples 100 --network resnet18 --side 128

Both explain the five most probable classes of one picture with the library's defaults (quickshift, mean colour, all
features). The library has the C library's own allocator; ours keeps freed memory between passes, as the assets
do at their start. Seconds are of processor time on one thread, so that other programs on the machine count
little. Weights are seeded, not trained: no time here depends on what a network has learned.
"""

import argparse
import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torchvision
from lime.lime_image import LimeImageExplainer
from PIL import Image
from skimage import data

from benchmarks.measuring import measured
from xai_assets.attribution.lime_image import Lime, LimeResult
from xai_assets.attribution.parameters import LimeParameters, Quickshift
from xai_assets.attribution.quick_network import quick_network
from xai_assets.vision.allocator import keep_freed_memory
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import PreprocessingSpec

SEED, LABELS = 0, 5


def main() -> None:
    options = arguments()
    torch.set_num_threads(1)
    classifier = seeded(options.network, options.side)
    picture = (
        data.astronaut() if options.picture is None else np.array(Image.open(options.picture).convert("RGB"))
    )
    view = classifier.preprocessing.view(picture)
    parameters = LimeParameters(
        segmentation=Quickshift(), num_samples=options.samples, batch_size=options.batch, top_labels=LABELS
    )
    print(
        f"{options.network}, {options.side} px, {options.samples} samples, one thread, "
        f"{torch.backends.cpu.get_cpu_capability()}"
    )
    theirs, library_seconds = timed("lime 0.2.0.1", lambda: by_the_library(classifier, view, options.samples))
    keep_freed_memory()
    ours, our_seconds = timed("ours, float32", lambda: by_us(classifier, view, parameters))
    passes = forward_passes(classifier, view, parameters.batch_size, ours.evaluated)
    _, pass_seconds = timed("its forward passes alone", passes)
    print(f"  {ours.evaluated} different pictures of {options.samples}; network: {ours.network}")
    print(f"  library / ours              {library_seconds / our_seconds:6.2f}")
    print(f"  ours / forward passes alone {our_seconds / pass_seconds:6.3f}")
    apart = max(np.abs(dense(theirs, label.target) - label.weights).max() for label in ours.top)
    largest = max(np.abs(label.weights).max() for label in ours.top)
    same = [label.target for label in ours.top] == list(theirs.top_labels)
    print(f"  same classes: {same}; same superpixels: {np.array_equal(ours.segments, theirs.segments)}")
    print(f"  largest difference of a weight {apart:.1e} (largest weight {largest:.1e})")
    if options.bfloat16:
        reduced = parameters.model_copy(update={"precision": "bfloat16"})
        rough, rough_seconds = timed("ours, bfloat16", lambda: by_us(classifier, view, reduced))
        off = max(np.abs(a.weights - b.weights).max() for a, b in zip(ours.top, rough.top, strict=True))
        print(
            f"  library / ours              {library_seconds / rough_seconds:6.2f}; network: {rough.network}"
        )
        print(f"  measured error: a probability {rough.precision_error:.1e}, a weight {off:.1e}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="resnet50", help="of torchvision.models")
    parser.add_argument("--side", type=int, default=224, help="pixels")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=LimeParameters().batch_size)
    parser.add_argument("--picture", type=Path, help="a photograph; default scikit-image's astronaut")
    parser.add_argument(
        "--bfloat16", action="store_true", help="reduced precision as well (slow without AVX-512)"
    )
    return parser.parse_args()


def seeded(name: str, side: int) -> Classifier:
    torch.manual_seed(SEED)
    network = torchvision.models.get_model(name, weights=None).train()
    with torch.no_grad():
        network.fc.weight *= 8  # probabilities that tell classes apart
        for _ in range(3):  # batch norm that has seen something
            network(torch.randn(8, 3, side, side))
    spec = PreprocessingSpec(mode="squash", size=side, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    return Classifier(
        name, f"torchvision/{name}", network.eval().requires_grad_(False), Preprocessing(spec),
        tuple(map(str, range(1000))), "0" * 64, torch.device("cpu"),
    )  # fmt: skip


def by_the_library(classifier: Classifier, view: np.ndarray, samples: int):
    """As its documentation has it: normalise, score in batches of its default 10, softmax."""

    def predict(views: np.ndarray) -> np.ndarray:
        return classifier.probabilities(classifier.preprocessing.from_view(views)).numpy()

    with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
        return LimeImageExplainer(random_state=SEED).explain_instance(
            view, predict, top_labels=LABELS, num_samples=samples
        )


def by_us(classifier: Classifier, view: np.ndarray, parameters: LimeParameters) -> LimeResult:
    with torch.inference_mode():
        (first,) = classifier.logits(classifier.preprocessing.from_view(view[None])).argmax(dim=1).tolist()
    return Lime(classifier, seed=SEED)(view, first, parameters=parameters)


def forward_passes(
    classifier: Classifier, view: np.ndarray, batch_size: int, count: int
) -> Callable[[], None]:
    """So many pictures in the same batches through the same network as ours; the pictures are all one."""
    image = classifier.preprocessing.from_view(view[None])
    network, _ = quick_network(classifier.network, image)
    batch = image.expand(batch_size, -1, -1, -1).contiguous(memory_format=torch.channels_last)

    def run() -> None:
        with torch.inference_mode():
            for start in range(0, count, batch_size):
                network(batch[: count - start])

    return run


def dense(explanation, label: int) -> np.ndarray:
    weights = np.zeros(int(explanation.segments.max()) + 1)
    for index, weight in explanation.local_exp[label]:
        weights[index] = weight
    return weights


def timed(name: str, run: Callable):
    """What it gives and the seconds it takes; prints them, and by how much memory peaks meanwhile."""
    found = measured(run)
    print(f"  {name:26s} {found.seconds:8.2f} s, peak memory +{found.peak_mib:.0f} MiB", flush=True)
    return found.result, found.seconds


if __name__ == "__main__":
    main()
