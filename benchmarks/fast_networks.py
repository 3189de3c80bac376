"""Which way each family of networks takes, what it gains, and how far off it is: one table, in one process.

    python -m benchmarks.fast_networks                          # every network below
    python -m benchmarks.fast_networks timm/tf_efficientnet_lite0 torchvision/swin_t
    python -m benchmarks.fast_networks --batch 16 --runs 3

Images a second of processor time by the network as its library builds it and by the copy that the methods evaluate
(see `xai_assets/attribution/quick_network.py`), alternating, on one thread, freed memory kept for both; the largest
difference of a logit as a share of the largest; and the largest difference of a Grad-CAM map, scaled to 0..1, made by the
split network and by the network itself. Weights are random from a seed, batch norms settled on noise.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from xai_assets.attribution import cams
from xai_assets.attribution.guard import untouched
from xai_assets.attribution.quick_network import quick_network
from xai_assets.attribution.scaling import scale
from xai_assets.attribution.split import LayerSplit
from xai_assets.attribution.target_layers import layer_of
from xai_assets.errors import XaiError
from xai_assets.vision.allocator import keep_freed_memory
from xai_assets.vision.architectures import build
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import PreprocessingSpec

CLASSES = 1000
SIZE = 224
NETWORKS = (
    "timm/tf_efficientnet_lite0",
    "timm/efficientnet_b0",
    "torchvision/efficientnet_b0",
    "timm/mobilenetv3_large_100",
    "torchvision/mobilenet_v3_large",
    "torchvision/mobilenet_v2",
    "timm/convnext_atto",
    "torchvision/convnext_tiny",
    "timm/regnety_002",
    "torchvision/regnet_y_400mf",
    "timm/densenet121",
    "torchvision/densenet121",
    "timm/resnet18",
    "torchvision/resnet50",
    "timm/eca_nfnet_l0",
    "timm/vit_tiny_patch16_224",
    "torchvision/vit_b_16",
    "timm/swin_tiny_patch4_window7_224",
    "torchvision/swin_t",
)


def classifier_of(name: str) -> Classifier:
    """A network of random weights, its batch norms settled on noise, in evaluation mode."""
    torch.manual_seed(0)
    network = build(name, CLASSES)
    for module in network.modules():
        if isinstance(module, nn.Linear) and not module.weight.any():  # a head that its library starts at 0
            nn.init.normal_(module.weight, std=0.02)
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    with torch.no_grad():
        network(pictures(4))
    return Classifier(
        name, name, network.eval().requires_grad_(False),
        Preprocessing(PreprocessingSpec(mode="squash", size=SIZE)), tuple(map(str, range(CLASSES))), "0" * 64,
        torch.device("cpu"),
    )  # fmt: skip


def pictures(count: int) -> Tensor:
    """Noise of three scales, n 3 h w."""
    generator = torch.Generator().manual_seed(1)
    coarse = [torch.rand(count, 3, side, side, generator=generator) for side in (4, 14, 56)]
    sums: Tensor = sum(nn.functional.interpolate(noise, (SIZE, SIZE), mode="bilinear") for noise in coarse)  # type: ignore[assignment]
    return (sums / 3 - 0.45) / 0.225


def rates(works: dict[str, Callable[[], object]], images: int, runs: int) -> dict[str, float]:
    """Images a second of processor time, the best of alternating runs."""
    best = dict.fromkeys(works, float("inf"))
    for number in range(runs + 1):
        for name, work in works.items():
            started = time.process_time()
            work()
            if number:  # the first fills what the allocator keeps
                best[name] = min(best[name], time.process_time() - started)
    return {name: images / seconds for name, seconds in best.items()}


def row(name: str, batch: int, runs: int) -> str:
    """The line of one network."""
    classifier = classifier_of(name)
    images = pictures(batch)
    last = images.contiguous(memory_format=torch.channels_last)
    started = time.process_time()
    with untouched(classifier.network) as network:
        quick, how = quick_network(network, images[:1])
    made = time.process_time() - started

    def passes(network: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        with torch.inference_mode():
            return network(images)

    wanted, found = passes(classifier.network, images.clone()), passes(quick, last)
    off = float((found - wanted).abs().max() / wanted.abs().max())
    rate = rates(
        {"own": partial(passes, classifier.network, images), "quick": partial(passes, quick, last)},
        batch,
        runs,
    )
    way, _, reason = how.partition(" (")
    return (
        f"| {name} | {way} | {rate['own']:.1f} | {rate['quick']:.1f} | {rate['quick'] / rate['own']:.2f} | {off:.0e} | "
        f"{map_difference(classifier, images[:1])} | {made:.1f} | {reason.removesuffix(')')} |"
    )


def map_difference(classifier: Classifier, image: Tensor) -> str:
    """How far a Grad-CAM map of the split network is from that of the network itself, and which way the split took."""
    try:
        layer = layer_of(classifier)
        target = [int(classifier.logits(image).argmax())]
        split = LayerSplit(classifier.network, layer, classifier.device)
        (own,) = cams.gradcam(classifier, image, target, layer)
        (quick,) = cams.gradcam(classifier, image, target, layer, split=split)
        with torch.no_grad(), untouched(classifier.network):
            way = split.behind(image).way
    except XaiError as error:
        return str(error).splitlines()[0]
    return f"{np.abs(scale(own.values) - scale(quick.values)).max():.0e} ({layer}: {way})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=NETWORKS, help="which of them")
    parser.add_argument("--batch", type=int, default=32, help="images in a pass")
    parser.add_argument("--runs", type=int, default=3, help="alternating runs, of which the best counts")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    keep_freed_memory()
    print(
        f"{SIZE} px, batches of {options.batch}, one thread, {torch.backends.cpu.get_cpu_capability()}, freed memory kept"
    )
    print(
        "| network | way | own images/s | quick images/s | ratio | logits off | map off | made in s | why not quicker |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in options.networks:
        print(row(name, options.batch, options.runs), flush=True)


if __name__ == "__main__":
    main()
