"""Our maps against grad-cam's own, on photographs: the numbers that the project promises.

Networks have random weights from a seed, their batch norms calibrated on the photographs, so that activations are of
the size that they have in trained ones; the embedded default has trained ones. The library is called as its users
call it, at its own batch sizes.
"""

import dataclasses

import numpy as np
import pytest
import pytorch_grad_cam
import torch
from PIL import Image
from pytorch_grad_cam.ablation_layer import AblationLayer
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from xai_assets.attribution.explain import explain
from xai_assets.settings import Settings
from xai_assets.vision.architectures import build
from xai_assets.vision.classifiers import Classifier, load_classifier
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import PreprocessingSpec

LIBRARY = {
    "gradcam": pytorch_grad_cam.GradCAM,
    "ablationcam": pytorch_grad_cam.AblationCAM,
    "scorecam": pytorch_grad_cam.ScoreCAM,
    "hirescam": pytorch_grad_cam.HiResCAM,
    "gradcampp": pytorch_grad_cam.GradCAMPlusPlus,
    "xgradcam": pytorch_grad_cam.XGradCAM,
    "layercam": pytorch_grad_cam.LayerCAM,
    "eigencam": pytorch_grad_cam.EigenCAM,
}
AT_MOST = {"gradcam": 1e-4} | dict.fromkeys([name for name in LIBRARY if name != "gradcam"], 1e-3)
LAYERS = ("layer4", "layer3", "layer2")


@pytest.fixture(scope="module")
def photographs(reference_data):
    paths = sorted((reference_data / "images").iterdir())
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths]


def calibrated(architecture: str, size: int, photographs) -> Classifier:
    torch.manual_seed(0)
    network = build(architecture, 1000)
    spec = PreprocessingSpec(
        mode="resize_crop",
        resize=size * 8 // 7,
        size=size,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    )
    preprocessing = Preprocessing(spec)
    batch = torch.stack([preprocessing.tensor(pixels) for pixels in photographs])
    with torch.no_grad():
        for _ in range(4):
            network.train()(batch)
    return Classifier(
        name="calibrated", architecture=architecture, network=network.eval().requires_grad_(False),
        preprocessing=preprocessing, class_names=tuple(map(str, range(1000))), sha256="0" * 64,
        device=torch.device("cpu"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def resnet18(photographs):
    return calibrated("torchvision/resnet18", 64, photographs)


@pytest.fixture(scope="module")
def resnet50(photographs):
    return calibrated("torchvision/resnet50", 64, photographs)


@pytest.fixture(scope="module")
def diorama():
    return load_classifier("diorama/object", Settings.from_environment({"XAI_DEVICE": "cpu"}))


def difference(method: str, model: Classifier, pixels: np.ndarray, layer: str) -> tuple[float, bool]:
    """The largest difference of the two scaled maps for the most probable class, and whether the library's is blank."""
    tensor = model.preprocessing.tensor(pixels)[None]
    target = int(model.logits(tensor).argmax())
    ours = explain(method, model, pixels, target, layer=layer)
    options = {"ablation_layer": AblationLayer()} if method == "ablationcam" else {}
    network = model.network.requires_grad_(True)
    with LIBRARY[method](network, [network.get_submodule(layer)], **options) as cam:
        theirs = cam(input_tensor=tensor, targets=[ClassifierOutputTarget(target)])[0]
    network.requires_grad_(False)
    blank = not theirs.any()  # all of the evidence speaks against the class: so it must in ours
    return float(np.abs(ours.scaled() - theirs).max()), blank


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("method", [name for name in LIBRARY if name not in ("ablationcam", "scorecam")])
@pytest.mark.parametrize("model", ["diorama", "resnet18", "resnet50"])
def test_maps_of_one_pass_are_the_librarys(model, method, layer, photographs, request):
    found = [difference(method, request.getfixturevalue(model), pixels, layer) for pixels in photographs[::4]]
    assert max(apart for apart, _ in found) <= AT_MOST[method]
    assert not all(blank for _, blank in found)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("method", ["ablationcam", "scorecam"])
def test_maps_of_many_passes_are_the_librarys(method, layer, photographs, resnet18):
    apart, blank = difference(method, resnet18, photographs[1], layer)
    assert apart <= AT_MOST[method]
    assert not blank


@pytest.mark.parametrize("method", ["ablationcam", "scorecam"])
def test_maps_of_many_passes_are_the_librarys_on_the_embedded_default(method, photographs, diorama):
    spec = PreprocessingSpec(**{**diorama.preprocessing.spec.model_dump(), "mode": "squash", "size": 64})
    small = dataclasses.replace(diorama, preprocessing=Preprocessing(spec))
    apart, blank = difference(method, small, photographs[5], "layer3")
    assert apart <= AT_MOST[method]
    assert not blank


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("method", ["ablationcam", "scorecam"])
@pytest.mark.parametrize("model", ["diorama", "resnet18", "resnet50"])
def test_maps_of_many_passes_are_the_librarys_on_every_network(model, method, layer, photographs, request):
    found = [difference(method, request.getfixturevalue(model), pixels, layer) for pixels in photographs[:3]]
    assert max(apart for apart, _ in found) <= AT_MOST[method]
    assert not all(blank for _, blank in found)
