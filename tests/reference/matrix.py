"""One row a network: our Grad-CAM against grad-cam's, and what is computed the quick way against full passes.

`python -m tests.reference.matrix [NAME ...]` prints the table. Networks have random weights from a seed, their batch
norms settled on noise. AblationCAM and ScoreCAM are looked at through five channels, LIME through three perturbed images.
"""

import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytorch_grad_cam
import torch
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from xai_assets.attribution import cams
from xai_assets.attribution.capture import capture, substitute
from xai_assets.attribution.guard import untouched
from xai_assets.attribution.lime_forward import PerturbedForward
from xai_assets.attribution.parameters import ScoreCAMParameters
from xai_assets.attribution.score import enlarged
from xai_assets.attribution.split import LayerSplit
from xai_assets.errors import XaiError
from xai_assets.vision.architectures import build
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.layouts import Layout
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import PreprocessingSpec

CLASSES = 10
CHANNELS = 5

NETWORKS: dict[tuple[str, str], int] = {
    ("timm/tf_efficientnet_lite0", "bn2"): 128,
    ("torchvision/alexnet", "features"): 128,
    ("torchvision/squeezenet1_1", "features"): 128,
    ("torchvision/shufflenet_v2_x0_5", "conv5"): 128,
    ("torchvision/mobilenet_v3_small", "features"): 128,
    ("torchvision/regnet_y_400mf", "trunk_output"): 128,
    ("torchvision/efficientnet_b0", "features"): 128,
    ("torchvision/googlenet", "inception5b"): 128,
    ("torchvision/inception_v3", "Mixed_7c"): 160,
    ("timm/resnet18", "layer4"): 128,
    ("timm/vit_tiny_patch16_224", "blocks.11.norm1"): 224,
    ("timm/vit_tiny_patch16_224", "patch_embed"): 224,
    ("timm/deit_tiny_patch16_224", "blocks.11.norm1"): 224,
    ("timm/deit_tiny_distilled_patch16_224", "blocks.11.norm1"): 224,
    ("timm/swin_tiny_patch4_window7_224", "layers.3"): 224,
    ("timm/convnext_atto", "stages.3"): 128,
    ("timm/mobilevit_xxs", "final_conv"): 128,
    ("timm/levit_128s", "stages.2"): 224,
    ("timm/eva02_tiny_patch14_224", "blocks.11.norm1"): 224,
    ("torchvision/densenet121", "features"): 128,
    ("torchvision/vgg16_bn", "features"): 64,
    ("torchvision/convnext_tiny", "features.7"): 128,
    ("torchvision/swin_t", "features.7"): 128,
    ("torchvision/maxvit_t", "blocks.3"): 224,
    ("torchvision/vit_b_16", "encoder.layers.encoder_layer_11.ln_1"): 224,
    ("timm/vit_small_patch14_dinov2", "blocks.11.norm1"): 518,
    ("timm/vit_small_patch14_reg4_dinov2", "blocks.11.norm1"): 518,
    ("timm/poolformer_s12", "stages.3"): 128,
    ("timm/pvt_v2_b0", "stages.3"): 128,
    ("timm/xcit_nano_12_p16_224", "blocks.11.norm1"): 224,
    ("timm/mixer_s32_224", "blocks.7"): 224,
    ("timm/crossvit_tiny_240", "blocks.2"): 240,
    ("timm/crossvit_tiny_240", "norm.0"): 240,
    ("timm/repvgg_a0", "stages.3"): 128,
    ("timm/fastvit_t8", "final_conv"): 128,
    ("timm/coatnet_pico_rw_224", "stages.3"): 224,
    ("timm/efficientvit_m0", "stages.2"): 224,
    ("timm/eca_nfnet_l0", "final_conv"): 128,
}
"""Network and target layer -> side of the image."""

SMALLER = {"timm/vit_small_patch14_dinov2": 112, "timm/vit_small_patch14_reg4_dinov2": 112}
"""Sides that the builder is asked for by `img_size`."""


@dataclass(frozen=True)
class Row:
    """What was found, each None where there is no such number.

    Attributes:
        name, layer: the network and its target layer.
        correlation: of our Grad-CAM with the library's; None where both are blank.
        ablation: largest relative difference of five ablated scores from full passes.
        way: how they were computed.
        score: largest relative difference of five masked images' scores from direct passes.
        lime: largest difference of three perturbed images' probabilities from direct passes.
        refused: what the run, and `xai check` by the same code, says where there is no map.
    """

    name: str
    layer: str
    correlation: float | None = None
    ablation: float | None = None
    way: str = ""
    score: float | None = None
    lime: float | None = None
    refused: str = ""

    def __str__(self) -> str:
        if self.refused:
            said = ["refused", "refused", "refused"]
        else:
            said = [
                "blank both" if self.correlation is None else f"{self.correlation:.6f}",
                f"{self.ablation:.0e}, {self.way}",
                f"{self.score:.0e}",
            ]
        row = " | ".join([self.name, self.layer, *said, f"{self.lime:.0e}"])
        return f"| {row} |" + (f"\n|   {self.refused}" if self.refused else "")


def classifier_of(name: str, size: int) -> Classifier:
    """A network of random weights, its batch norms settled on noise, in evaluation mode."""
    torch.manual_seed(0)
    side = SMALLER.get(name, size)
    network = build(name, CLASSES, arguments={"img_size": side} if name in SMALLER else {})
    for module in network.modules():
        if isinstance(module, nn.Linear) and not module.weight.any():  # a head that its library starts at 0
            nn.init.normal_(module.weight, std=0.02)
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    network.eval()
    if norms:
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
            norm.train()
        with torch.no_grad():
            network(torch.randn(4, 3, side, side))
        network.eval()
    spec = PreprocessingSpec(mode="squash", size=side)
    return Classifier(
        name, name, network.requires_grad_(False), Preprocessing(spec), tuple(map(str, range(CLASSES))), "0" * 64,
        torch.device("cpu"),
    )  # fmt: skip


def picture(side: int) -> np.ndarray:
    """Soft blobs of colour, h w 3 uint8."""
    coarse = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    fine = nn.functional.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 1)
    return (fine[0].permute(1, 2, 0) * 255).numpy().astype(np.uint8)


def row(name: str, layer: str, size: int) -> Row:
    """The row of one network."""
    classifier = classifier_of(name, size)
    view = picture(SMALLER.get(name, size))
    tensor = classifier.preprocessing.from_view(view[None])
    lime = _lime(classifier, view)
    target = int(classifier.logits(tensor).argmax())
    split = LayerSplit(classifier.network, layer, classifier.device)
    try:
        (ours,) = cams.gradcam(classifier, tensor, [target], layer)
        with torch.no_grad(), untouched(classifier.network):
            behind = split.behind(tensor)
    except XaiError as error:
        return Row(name, layer, lime=lime, refused=str(error))
    theirs = _library(classifier, tensor, target, layer, behind.layout)
    ablation, score = _ablation(split, tensor, target), _score(classifier, tensor, layer, behind.layout)
    return Row(name, layer, _correlation(ours.values, theirs), ablation, behind.way, score, lime)


def _correlation(ours: np.ndarray, theirs: np.ndarray) -> float | None:
    if np.ptp(ours) == 0 and np.ptp(theirs) == 0:
        return None
    return float(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1]) if np.ptp(ours) and np.ptp(theirs) else 0.0


def _library(classifier: Classifier, tensor: Tensor, target: int, layer: str, layout: Layout) -> np.ndarray:
    # Contiguous and copied, as its users write reshape_transform.
    with untouched(classifier.network) as network:
        module = network.get_submodule(layer)
        with pytorch_grad_cam.GradCAM(
            network, [module], reshape_transform=lambda output: layout.maps(output).contiguous()
        ) as cam:
            # What goes on is a copy, so that nothing behind the layer writes over what the library keeps of it.
            module.register_forward_hook(lambda _module, _inputs, output: output.clone())
            return cam(tensor.clone().requires_grad_(), targets=[ClassifierOutputTarget(target)])[0]


def _channels(count: int) -> list[int]:
    return np.linspace(0, count - 1, CHANNELS).astype(int).tolist()


def _ablation(split: LayerSplit, tensor: Tensor, target: int) -> float:
    with torch.no_grad(), untouched(split.network) as network:
        behind = split.behind(tensor)
        seen = capture(network, split.module, tensor)
        axis = behind.layout.channel_axis % seen.output.ndim
        outputs = seen.output.repeat(CHANNELS, *[1] * (seen.output.ndim - 1))
        for at, channel in enumerate(_channels(seen.output.shape[axis])):
            outputs[at].movedim(axis - 1, 0)[channel] = 0
        images = tensor.repeat(CHANNELS, 1, 1, 1)
        wanted = substitute(network, split.module, images, outputs, calls=seen.calls)[:, target]
        if behind.gradient is None:
            found = behind.evaluate(outputs)[:, target]
        else:  # what lies behind is affine: the fall without a channel is its part of gradient times output
            change = (outputs - seen.output) * behind.gradient(target)
            found = seen.scores[0, target] + change.flatten(1).sum(dim=1)
        return float((found - wanted).abs().max() / seen.scores[0, target].abs())


def _score(classifier: Classifier, tensor: Tensor, layer: str, layout: Layout) -> float:
    scorer = cams.make_scorer(classifier, tensor, ScoreCAMParameters())
    with torch.no_grad(), untouched(classifier.network) as network:
        output = capture(network, network.get_submodule(layer), tensor).output
        maps = layout.maps(output)[0][_channels(layout.maps(output).shape[1])]
        masked = tensor * enlarged(maps, (tensor.shape[2], tensor.shape[3]))
        wanted = network(masked.clone())
        return float((scorer.network(masked.clone()) - wanted).abs().max() / wanted.abs().max())


def _lime(classifier: Classifier, view: np.ndarray) -> float:
    segments = np.arange(view.shape[0])[:, None] // 16 * 100 + np.arange(view.shape[1])[None] // 16
    _, segments = np.unique(segments, return_inverse=True)
    segments = segments.reshape(view.shape[:2]).astype(np.int64)
    rows = np.random.default_rng(0).integers(0, 2, (3, segments.max() + 1))
    hidden = np.full_like(view, 127)
    found = PerturbedForward(classifier)(view, hidden, segments, rows, batch_size=3).probabilities
    images = np.stack([np.where(shown[segments][..., None] == 1, view, hidden) for shown in rows])
    direct = classifier.probabilities(classifier.preprocessing.from_view(images)).double().numpy()
    return float(np.abs(found - direct).max())


def table(names: list[str]) -> Iterator[str]:
    """The rows of these networks, of all where there are none, as Markdown."""
    yield "| network | layer | Grad-CAM | AblationCAM | ScoreCAM | LIME |"
    yield "|---|---|---|---|---|---|"
    for (name, layer), size in NETWORKS.items():
        if not names or name in names:
            yield str(row(name, layer, size))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for line in table(sys.argv[1:]):
        print(line, flush=True)
