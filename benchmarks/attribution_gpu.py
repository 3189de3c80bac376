"""The four methods on a GPU: seconds for ten images on resnet50 at 224 px, and the share of the arithmetic floor.

    python -m benchmarks.attribution_gpu

The floor is what the forward passes that a method cannot do without would take at the rate at which this GPU
multiplies large float32 matrices without TF32, which convolutions that give the same bytes do not use. Weights are
random, batch norms calibrated: no time here depends on what a network has learned.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from skimage import data
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.attribution_cams import model
from xai_assets.attribution.explain import Explainer
from xai_assets.vision.classifiers import Classifier

METHODS = ("gradcam", "ablationcam", "scorecam", "lime")
IMAGES = 10
MATRIX = 8192


def main() -> None:
    if not torch.cuda.is_available():
        raise SystemExit("torch sees no GPU here.")
    classifier, _ = model()
    classifier = _on_gpu(classifier)
    images = _images()
    flops = _flops(classifier)
    rates = {name: _rate(dtype) for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16))}
    print(
        f"{torch.cuda.get_device_name()}, torch {torch.__version__}; resnet50 {flops / 1e9:.1f} GFLOP a pass; matrix "
        f"products {rates['float32'] / 1e12:.1f} TFLOP/s in float32, {rates['bfloat16'] / 1e12:.0f} in bfloat16"
    )
    for precision, rate in rates.items():
        for batch_size in (64, 256):
            seconds = 0.0
            for method in METHODS:
                parameters: dict[str, Any] = {} if method == "gradcam" else {"batch_size": batch_size}
                if method in ("scorecam", "lime"):
                    parameters["precision"] = precision
                seconds += _show(method, classifier, images, flops, rate, parameters)
            print(
                f"all four, {precision}, {batch_size} together: {seconds:.2f} s for {IMAGES} images (to reach: 10)",
                flush=True,
            )


def _show(
    method: str,
    classifier: Classifier,
    images: list[np.ndarray],
    flops: float,
    rate: float,
    parameters: dict[str, Any],
) -> float:
    explainer = Explainer(method, classifier, layer="layer4", parameters=parameters)
    targets = [
        int(classifier.logits(classifier.preprocessing.tensor(image)[None].cuda()).argmax())
        for image in images
    ]
    once = _seconds(lambda: explainer(images[0], targets[0]))  # loads kernels, makes quick copies
    torch.cuda.reset_peak_memory_stats()
    found = []
    seconds = _seconds(
        lambda: found.extend(explainer(image, target) for image, target in zip(images, targets, strict=True))
    )
    passes = sum(int(map_.details.get("scored", map_.details.get("evaluated", 1))) for map_ in found)
    floor = passes * flops / rate
    name = " ".join([method, *map(str, parameters.values())])
    print(
        f"{name:22} {seconds:7.2f} s, {IMAGES / seconds:6.1f} images a second, "
        f"{torch.cuda.max_memory_allocated() // 2**20} MiB; {passes} passes, {floor / seconds:.0%} of the floor; the "
        f"first image took {once:.2f} s",
        flush=True,
    )
    return seconds


def _on_gpu(classifier: Classifier) -> Classifier:
    return Classifier(
        classifier.name, classifier.architecture, classifier.network.cuda(), classifier.preprocessing,
        classifier.class_names, classifier.sha256, torch.device("cuda"),
    )  # fmt: skip


def _images() -> list[np.ndarray]:
    """Ten views of a photograph, uint8 (224, 224, 3)."""
    picture = data.astronaut()
    return [np.ascontiguousarray(picture[step : step + 224, step : step + 224]) for step in range(0, 280, 28)]


def _flops(classifier: Classifier) -> float:
    with FlopCounterMode(display=False) as counter:
        classifier.logits(torch.zeros(1, 3, 224, 224, device="cuda"))
    return float(counter.get_total_flops())


def _rate(dtype: torch.dtype) -> float:
    a, b = (torch.randn(MATRIX, MATRIX, device="cuda", dtype=dtype) for _ in range(2))
    torch.mm(a, b)
    seconds = min(_seconds(lambda: torch.mm(a, b)) for _ in range(3))
    return 2 * MATRIX**3 / seconds


def _seconds(work: Callable[[], object]) -> float:
    torch.cuda.synchronize()
    started = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
