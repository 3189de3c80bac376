"""LIME for images (Ribeiro, Singh & Guestrin 2016) by the library `lime`, repeatable and in batches.

The library's own sampling, distance, kernel, feature selection and regression are used; only the perturbed
images are built differently (a batch at a time, without copying the image in a loop). With the same
`random_state`, segments and regressor it gives the library's coefficients.

Its traps, and what is done here: `random_seed` does not make it repeatable (`random_state` does); `labels`
is ignored while `top_labels` is set (it is None here); `num_features` limits the surrogate, not the
superpixels shown; `get_image_and_mask` draws a picture with 5 superpixels (the map here is every weight,
painted on its superpixel).
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from lime.lime_image import LimeImageExplainer

from xai_assets.attribution.guard import untouched
from xai_assets.attribution.parameters import LimeParameters
from xai_assets.attribution.segmentation import segment
from xai_assets.vision.classifiers import Classifier

ALL_FEATURES = 100_000
"""The library's own way to say: as many as there are."""

BLUR_SHARE = 1 / 16
"""Width of the Gaussian of `hide_color: blur`, a share of the view's longer side: 8 px of 128, 14 of 224."""


@dataclass(frozen=True)
class LimeResult:
    """What LIME found.

    Attributes:
        values: h w float32: each superpixel's weight, painted; negative ones as 0 when `positive_only`.
        segments: h w int64, from 0.
        weights: float64, one a superpixel, of either sign; 0 for those that the surrogate does not use.
        r2: how much of the perturbed predictions' variance the surrogate explains, weighted by closeness; at
            most 1.
        intercept: of the surrogate.
        surrogate_probability: what the surrogate predicts for the view.
        probability: what the model predicts for it.
    """

    values: np.ndarray
    segments: np.ndarray
    weights: np.ndarray
    r2: float
    intercept: float
    surrogate_probability: float
    probability: float


def lime(
    classifier: Classifier,
    view: np.ndarray,
    target: int,
    *,
    parameters: LimeParameters | None = None,
    seed: int = 0,
) -> LimeResult:
    """Explain the softmax probability of one class by which superpixels are shown.

    Args:
        classifier: the model.
        view: h w 3 uint8: what the model sees, before normalisation; superpixels are hidden in it.
        target: index of the explained class.
        parameters: segmentation, samples and so on.
        seed: of the samples and the segmentation.
    """
    parameters = parameters or LimeParameters()
    segments = segment(view, parameters.segmentation, seed=seed)
    explainer = _BatchedExplainer(kernel_width=parameters.kernel_width, random_state=seed)
    with untouched(classifier.network):
        found = explainer.explain_instance(
            view,
            _probabilities(classifier),
            labels=(target,),
            top_labels=None,
            hide_color=_hidden(view, parameters),
            num_features=parameters.num_features or ALL_FEATURES,
            num_samples=parameters.num_samples,
            batch_size=parameters.batch_size,
            segmentation_fn=lambda _: segments,
        )
    weights = np.zeros(int(segments.max()) + 1)
    for index, weight in found.local_exp[target]:
        weights[index] = weight
    painted = np.maximum(weights, 0) if parameters.positive_only else weights
    return LimeResult(
        values=painted[segments].astype(np.float32),
        segments=segments,
        weights=weights,
        r2=float(found.score),
        intercept=float(found.intercept[target]),
        surrogate_probability=float(found.local_pred[0]),
        probability=float(explainer.first_prediction[target]),
    )


class _BatchedExplainer(LimeImageExplainer):
    """The library's explainer without its loop over samples and superpixels, and without its progress bar."""

    first_prediction: np.ndarray

    def data_labels(
        self,
        image: np.ndarray,
        fudged_image: np.ndarray,
        segments: np.ndarray,
        classifier_fn: Callable[[np.ndarray], np.ndarray],
        num_samples: int,
        batch_size: int = 10,
    ) -> tuple[np.ndarray, np.ndarray]:
        count = int(segments.max()) + 1
        # The library's own draw, so that the same random state gives the same samples.
        data = self.random_state.randint(0, 2, num_samples * count).reshape(num_samples, count)
        data[0, :] = 1
        predictions = []
        for start in range(0, num_samples, batch_size):
            shown = data[start : start + batch_size].astype(bool)[:, segments]  # b s -> b h w
            predictions.append(
                classifier_fn(np.where(shown[..., None], image, fudged_image))
            )  # b h w 3 -> b k
        labels = np.concatenate(predictions)
        self.first_prediction = labels[0]
        return data, labels


def _probabilities(classifier: Classifier) -> Callable[[np.ndarray], np.ndarray]:
    def predict(views: np.ndarray) -> np.ndarray:
        logits = classifier.logits(classifier.preprocessing.from_view(views))  # b h w 3 -> b 3 h w -> b k
        return torch.softmax(logits.double().cpu(), dim=1).numpy()

    return predict


def _hidden(view: np.ndarray, parameters: LimeParameters) -> np.ndarray | None:
    """For the library's `hide_color`: None is each superpixel's mean; else a colour or a whole picture."""
    match parameters.hide_color:
        case "mean":
            return None
        case "blur":
            sigma = BLUR_SHARE * max(view.shape[:2])
            return np.asarray(
                cv2.GaussianBlur(view, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), dtype=np.uint8
            )
        case colour:
            return np.array(colour, dtype=np.uint8)
