"""What LIME would gain if its perturbed images shared a network's early layers: an upper bound, counted on photographs.

    python -m benchmarks.lime_prefix [FOLDER]

A cell of a layer's output is the same as in the view, or as in the view with everything hidden, where no superpixel of
the other kind reaches into its receptive field. Such cells need not be computed again; nothing else of a perturbed image
is known. For every convolution it is counted how many cells these are, weighted by the convolution's multiplications:
that share of a pass would be saved if a convolution of scattered cells cost nothing beyond its own cells.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torchvision.models import resnet50

from xai_assets.attribution.lime_perturbation import draw, hidden_view
from xai_assets.attribution.parameters import Slic
from xai_assets.attribution.segmentation import segment
from xai_assets.settings import Settings
from xai_assets.vision.classifiers import load_classifier

SAMPLES, IMAGES = 8, 3
SAME = 1e-5
"""Of a layer's largest value: cells that differ by less are the same."""


def main() -> None:
    """Print a line a network and one for each of its convolutions that has something to share."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    classifier = load_classifier("lite/efficientnet-lite0", Settings.from_environment())
    torch.manual_seed(0)
    networks = {"EfficientNet-Lite0": classifier.network, "resnet50": resnet50().eval()}
    images = (
        [np.array(Image.open(path).convert("RGB")) for path in sorted(folder.glob("*"))]
        if folder
        else packaged()
    )
    views = [classifier.preprocessing.view(image) for image in images[:IMAGES]]
    for name, network in networks.items():
        saved, rows = 0.0, {}
        for view in views:
            for layer, (share, part) in shares(network, classifier.preprocessing, view).items():
                rows.setdefault(layer, []).append((share, part))
        for layer, found in rows.items():
            share, part = np.mean([one[0] for one in found]), found[0][1]
            saved += share * part
            if share > 0.01:
                print(f"  {name} {layer}: {share:.0%} of the cells are known, {part:.2%} of a pass")
        print(f"{name}: at most {saved:.1%} of a pass could be shared")


def packaged() -> list[np.ndarray]:
    """Photographs of scikit-image."""
    from skimage import data

    return [data.astronaut(), data.chelsea(), data.coffee()]


def shares(network: nn.Module, preprocessing, view: np.ndarray) -> dict[str, tuple[float, float]]:
    """By convolution, the share of its cells that are known, and its share of a pass's multiplications."""
    segments = segment(view, Slic(), seed=0)
    hidden = hidden_view(view, segments, "mean")
    rows = draw(0, SAMPLES + 1, int(segments.max()) + 1)[1:]
    mixed = [np.where((row == 1)[segments][..., None], view, hidden) for row in rows]
    batch = preprocessing.from_view(np.stack([view, hidden, *mixed]))
    found: dict[str, tuple[float, int]] = {}

    def look(name: str):
        def count(module: nn.Conv2d, inputs, output: torch.Tensor) -> None:
            limit = SAME * float(output.abs().max())
            known = [(output[2:] - output[at]).abs().amax(dim=1) <= limit for at in (0, 1)]  # n h w each
            share = float((known[0] | known[1]).float().mean())
            weights = module.weight.numel()
            found[name] = share, weights * output.shape[-2] * output.shape[-1]

        return count

    hooks = [
        module.register_forward_hook(look(name))
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d)
    ]
    with torch.no_grad():
        network(batch)
    for hook in hooks:
        hook.remove()
    total = sum(work for _, work in found.values())
    return {name: (share, work / total) for name, (share, work) in found.items()}


if __name__ == "__main__":
    main()
