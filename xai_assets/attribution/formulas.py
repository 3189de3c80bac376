"""grad-cam's own formulas (pytorch_grad_cam), given the activations and gradients that are recorded here.

The library computes the maps; its recording is left out, because it hooks the network, keeps references that
in-place operations write into, and computes the whole network's gradient.
"""

from dataclasses import dataclass

import numpy as np
import pytorch_grad_cam
from torch import Tensor, nn

from xai_assets.attribution.parameters import CLASS_AGNOSTIC

CLASSES: dict[str, type] = {
    "gradcam": pytorch_grad_cam.GradCAM,
    "hirescam": pytorch_grad_cam.HiResCAM,
    "gradcampp": pytorch_grad_cam.GradCAMPlusPlus,
    "xgradcam": pytorch_grad_cam.XGradCAM,
    "layercam": pytorch_grad_cam.LayerCAM,
    "eigencam": pytorch_grad_cam.EigenCAM,
}
"""The methods that are a formula on activations and gradients, with the library's class of each."""

WITHOUT_GRADIENT = CLASS_AGNOSTIC
"""Those that only look at the activations: the same map for every class."""


@dataclass(frozen=True)
class Weighted:
    """The library's answer: `low` n h' w', and `weights` n c where the method has one a channel."""

    low: np.ndarray
    weights: np.ndarray | None


def weighted_sum(method: str, network: nn.Module, maps: Tensor, gradients: Tensor | None) -> Weighted:
    """The library's map of each image from the layer's activations and gradients (n c h w)."""
    cam = CLASSES[method](network, [])
    arguments = [maps.cpu().numpy(), None if gradients is None else gradients.cpu().numpy()]
    weights: list[np.ndarray] = []
    original = cam.get_cam_weights

    def keep(*given: object) -> np.ndarray:
        weights.append(original(*given))
        return weights[-1]

    cam.get_cam_weights = keep
    low = cam.get_cam_image(None, None, None, *arguments, False)
    return Weighted(np.asarray(low, dtype=np.float32), weights[0] if weights else None)
