"""The CAM family against grad-cam on resnet50 at 224 px: ratios of processor seconds, in one process, on one thread.

    python -m benchmarks.attribution_cams                       # every part
    python -m benchmarks.attribution_cams ablationcam-layer3    # one of them
    python -m benchmarks.attribution_cams --kept scorecam       # with freed memory kept, for the library as well

The library's AblationCAM and ScoreCAM take some 2,000 passes an image, all alike: they are timed on a part of the
channels and the rest is added up, which is said beside the number. The library has the C library's own allocator, ours
keeps freed memory, as the assets do. Weights are random, batch norms calibrated.
"""

import argparse
import contextlib
import io
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytorch_grad_cam
import torch
from pytorch_grad_cam.ablation_layer import AblationLayer
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from benchmarks.measuring import Measured, measured, measured_as_in_an_asset
from xai_assets.attribution import cams
from xai_assets.attribution.binarisation import BinarisationPolicy, binarise
from xai_assets.attribution.capture import capture
from xai_assets.attribution.graph_cut import spread
from xai_assets.attribution.guard import untouched
from xai_assets.attribution.parameters import AblationCAMParameters, ScoreCAMParameters
from xai_assets.attribution.scaling import scale
from xai_assets.attribution.score import Scorer, score_weights
from xai_assets.attribution.split import LayerSplit
from xai_assets.vision.allocator import keep_freed_memory
from xai_assets.vision.architectures import build
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import PreprocessingSpec

SIZE = 224
BATCH = 16


class _Part(AblationLayer):
    """The library's ablation layer on the first channels only, through its own way of choosing channels."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def activations_to_be_ablated(
        self, activations: np.ndarray, ratio_channels_to_ablate: float = 1.0
    ) -> np.ndarray:
        self.indices = np.arange(self.count, dtype=np.int32)
        return self.indices


class _PartOfScoreCAM(pytorch_grad_cam.ScoreCAM):
    """The library's ScoreCAM on the first channels only."""

    count: int
    kept: np.ndarray

    def get_cam_weights(
        self, images: Any, layer: Any, targets: Any, activations: np.ndarray, gradients: Any
    ) -> np.ndarray:
        some = super().get_cam_weights(images, layer, targets, activations[:, : self.count], gradients)
        rest = np.zeros((len(some), activations.shape[1] - self.count), dtype=some.dtype)
        self.kept = np.concatenate([some, rest], axis=1)
        return self.kept


def model() -> tuple[Classifier, torch.Tensor]:
    """resnet50 with calibrated batch norms, and ten normalised noise images of three scales (10 3 h w)."""
    torch.manual_seed(0)
    coarse = [torch.rand(10, 3, side, side) for side in (4, 14, 56)]
    pictures = (
        sum(torch.nn.functional.interpolate(noise, (SIZE, SIZE), mode="bilinear") for noise in coarse) / 3
    )
    images = (pictures - 0.45) / 0.225
    network = build("torchvision/resnet50", 1000)
    with torch.no_grad():
        for _ in range(3):
            network.train()(images[:6])
    spec = PreprocessingSpec(mode="native", size=SIZE, mean=(0.45,) * 3, std=(0.225,) * 3)
    found = Classifier(
        name="resnet50", architecture="torchvision/resnet50", network=network.eval().requires_grad_(False),
        preprocessing=Preprocessing(spec), class_names=tuple(map(str, range(1000))), sha256="0" * 64,
        device=torch.device("cpu"),
    )  # fmt: skip
    return found, images


def library(
    cam: Callable[..., Any], classifier: Classifier, images: torch.Tensor, targets: list[int], layer: str
) -> tuple[np.ndarray, Any]:
    """The library's maps, called as its users call it, and the object that made them."""
    network = classifier.network.requires_grad_(True)
    try:
        with cam(network, [network.get_submodule(layer)]) as made, contextlib.redirect_stderr(io.StringIO()):
            return made(
                input_tensor=images, targets=[ClassifierOutputTarget(target) for target in targets]
            ), made
    finally:
        network.requires_grad_(False)


def whole(part: Callable[[int], Measured], few: int, more: int, channels: int) -> Measured:
    """What all channels take, from what `few` and `more` of them take."""
    first, second = part(few), part(more)
    each = (second.seconds - first.seconds) / (more - few)
    return Measured(second.result, first.seconds + each * (channels - few), second.peak_mib)


def show(name: str, theirs: Measured, ours: Measured, goal: str, note: str) -> None:
    print(
        f"{name}\n  library {theirs.seconds:9.3f} s, +{theirs.peak_mib:.0f} MiB;   ours {ours.seconds:9.3f} s, "
        f"+{ours.peak_mib:.0f} MiB;   {theirs.seconds / ours.seconds:.1f} times as fast (to reach: {goal})\n  {note}",
        flush=True,
    )


def ablationcam(layer: str, channels: int, goal: str) -> None:
    classifier, images = model()
    image = images[:1]
    target = [int(classifier.logits(image).argmax())]

    def part(count: int) -> Measured:
        cam = partial(pytorch_grad_cam.AblationCAM, ablation_layer=_Part(count))
        return measured(lambda: library(cam, classifier, image, target, layer))

    theirs = whole(part, 32, 64, channels)
    with untouched(classifier.network) as network:
        split = LayerSplit(network, layer, classifier.device)
        once = measured(lambda: split.behind(image)).seconds
        passes = 0.0 if split.behind(image).gradient is not None else passes_alone(split, image, channels)
    # The library's own weights of the first channels, the rest left out of both.
    weights = library_weights(classifier, image, target, layer)
    (cam,) = cams.ablationcam(classifier, image, target, layer, split=split)
    apart = np.abs(cam.channel_weights[: len(weights)] - weights).max() / np.abs(weights).max()
    runs = 5 if cam.details["way"] == "closed form" else 2
    ours = measured_as_in_an_asset(
        lambda: cams.ablationcam(classifier, image, target, layer, split=split), runs=runs
    )
    floor = (
        "" if not passes else f"{ours.seconds / passes:.2f} times its forward passes alone ({passes:.1f} s); "
    )
    show(
        f"AblationCAM, {layer}", theirs, ours, goal,
        f"{cam.details['way']}; {once:.1f} s once a network and size; {floor}library timed on 32 and 64 of {channels} "
        f"channels; weights differ by {apart:.0e} of the largest",
    )  # fmt: skip


def passes_alone(split: LayerSplit, image: torch.Tensor, channels: int) -> float:
    """Seconds of what no ablation can do without: the fused network behind the first convolutions, once a channel."""
    parts, size = split.parts(image), AblationCAMParameters().batch_size
    assert parts.heads is not None
    assert parts.quick_rest is not None
    output, frontier = parts.before(image)
    some = torch.arange(size)
    inputs = parts.heads.ablated(parts.heads.base(output), output[0, some], some)
    if parts.heads.keeps_output:
        inputs.append(output.expand(size, *output.shape[1:]).clone(memory_format=torch.channels_last))
    rest = partial(parts.quick_rest, *inputs, *spread(frontier, size))

    def work() -> None:
        with torch.inference_mode():
            rest()

    return measured_as_in_an_asset(work, runs=3).seconds * channels / size


def library_weights(classifier: Classifier, image: torch.Tensor, target: list[int], layer: str) -> np.ndarray:
    kept: list[np.ndarray] = []

    class Keeping(pytorch_grad_cam.AblationCAM):
        def get_cam_weights(self, *arguments: Any) -> np.ndarray:
            kept.append(super().get_cam_weights(*arguments))
            return kept[-1]

    library(partial(Keeping, ablation_layer=_Part(32)), classifier, image, target, layer)
    return kept[0][0, :32]


def scorecam() -> None:
    classifier, images = model()
    image, layer, channels, some = images[:1], "layer4", 2048, 64
    target = [int(classifier.logits(image).argmax())]

    def part(count: int) -> Measured:
        cam = type("Part", (_PartOfScoreCAM,), {"count": count})
        return measured(lambda: library(cam, classifier, image, target, layer)[1].kept)

    theirs = whole(part, 16, some, channels)
    with untouched(classifier.network) as network:
        maps = capture(network, network.get_submodule(layer), image).output[0]
    parameters = ScoreCAMParameters()
    scorer = cams.make_scorer(classifier, image, parameters)

    def masked(count: int) -> Measured:
        return measured_as_in_an_asset(
            lambda: score_weights(scorer, image, maps[:count], target[0], parameters)[0]
        )

    ours = whole(masked, some, 3 * some, channels)
    apart = np.abs(masked(some).result - theirs.result[0, :some]).max()
    passes = measured_as_in_an_asset(lambda: forward(scorer, image), runs=3).seconds / parameters.batch_size
    show(
        f"ScoreCAM, {layer}", theirs, ours, "2",
        f"network {scorer.details['network']}; {channels * passes / ours.seconds:.0%} of the time in forward passes; "
        f"library timed on 16 and {some} of {channels} channels, ours on {some} and {3 * some}; weights differ by "
        f"{apart:.0e}",
    )  # fmt: skip


def forward(scorer: Scorer, image: torch.Tensor) -> None:
    batch = image.repeat(ScoreCAMParameters().batch_size, 1, 1, 1)
    evaluate(scorer, batch.contiguous(memory_format=torch.channels_last))


def evaluate(scorer: Scorer, batch: torch.Tensor) -> None:
    with torch.inference_mode():
        scorer.network(batch)


def bfloat16() -> None:
    """ScoreCAM in bfloat16 against float32: passes a second, and what is left of the mask."""
    classifier, images = model()
    image = images[:1]
    target = [int(classifier.logits(image).argmax())]
    seconds, masks = {}, []
    for precision in ("float32", "bfloat16"):
        scorer = cams.make_scorer(classifier, image, ScoreCAMParameters(precision=precision))
        batch = image.repeat(64, 1, 1, 1).contiguous(memory_format=torch.channels_last).to(scorer.dtype)
        seconds[precision] = measured_as_in_an_asset(partial(evaluate, scorer, batch)).seconds / len(batch)
        (cam,) = cams.scorecam(
            classifier,
            image,
            target,
            "layer4",
            parameters=ScoreCAMParameters(precision=precision),
            scorer=scorer,
        )
        masks.append(binarise(cam.values, BinarisationPolicy())[0])
        print(
            f"ScoreCAM's passes in {precision}: {1 / seconds[precision]:.2f} a second, {scorer.details['network']}"
        )
    shared, either = np.logical_and(*masks).sum(), np.logical_or(*masks).sum()
    print(
        f"  the masks of both have an IoU of {shared / either:.4f}; each is {masks[0].mean():.0%} of the frame"
    )


def gradcam() -> None:
    classifier, images = model()
    batch = images.repeat(4, 1, 1, 1)[:BATCH]
    targets = classifier.logits(batch).argmax(dim=1).tolist()
    theirs = measured(
        lambda: library(pytorch_grad_cam.GradCAM, classifier, batch, targets, "layer4")[0], runs=2
    )
    with untouched(classifier.network) as network:
        split = LayerSplit(network, "layer4", classifier.device)
        split.behind(batch[:1])
    for name, given in (("the network as it is", None), ("split", split)):
        ours = measured_as_in_an_asset(
            partial(cams.gradcam, classifier, batch, targets, "layer4", split=given), runs=2
        )
        apart = max(
            np.abs(scale(cam.values) - their).max()
            for cam, their in zip(ours.result, theirs.result, strict=True)
        )
        show(
            f"Grad-CAM, layer4, {BATCH} images together", theirs, ours, "1.5",
            f"{name}; {BATCH / ours.seconds:.1f} against {BATCH / theirs.seconds:.1f} images a second; maps differ by "
            f"{apart:.0e}",
        )  # fmt: skip


PARTS: dict[str, Callable[[], None]] = {
    "gradcam": gradcam,
    "ablationcam-layer4": partial(ablationcam, "layer4", 2048, "300"),
    "ablationcam-layer3": partial(ablationcam, "layer3", 1024, "6"),
    "ablationcam-layer2": partial(ablationcam, "layer2", 512, "5"),
    "scorecam": scorecam,
    "bfloat16": bfloat16,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, "all"], default="all", help="which of them")
    parser.add_argument(
        "--kept", action="store_true", help="keep freed memory, for both: see vision/allocator.py"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.kept:
        keep_freed_memory()
    how = "freed memory kept for both" if options.kept else "freed memory kept for ours"
    print(f"resnet50, {SIZE} px, one thread, {torch.backends.cpu.get_cpu_capability()}, {how}")
    for name in PARTS if "all" in options.parts else options.parts:
        PARTS[name]()


if __name__ == "__main__":
    main()
