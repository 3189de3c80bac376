"""LIME by the library `lime` itself, on the classifier as it is: what stored maps are held against.

Only the superpixels are those of `segmentation` (scikit-image's, as the library's own wrapper calls it) and the colour of
hidden ones where it is not the library's mean. Draws, distances, kernel, selection and regression are the library's.
"""

import numpy as np
from lime import lime_image
from sklearn import linear_model

from xai_assets.attribution.library_bars import no_bars
from xai_assets.attribution.lime_perturbation import hidden_view
from xai_assets.attribution.parameters import Lasso, LimeParameters, Linear, ModelRegressor
from xai_assets.attribution.segmentation import segment
from xai_assets.attribution.targets import Asked, as_target
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.outputs import probabilities

ALL = 100_000
"""As the library's `num_features`: every superpixel."""


def library_lime(
    classifier: Classifier, view: np.ndarray, target: Asked, *, parameters: LimeParameters, seed: int
) -> np.ndarray:
    """The library's weights of one target, painted on their superpixels as the study asks: h w float64.

    Args:
        classifier: the model; it is asked in the library's own batches of 10.
        view: h w 3 uint8, what the model sees.
        target: index of the class, or the difference of two: the library then asks for their log-odds alone.
        parameters: the study's; `precision` and `batch_size` are not the library's and have no part.
        seed: its `random_state`.
    """
    segments, asked = segment(view, parameters.segmentation, seed=seed), as_target(target)
    label = asked.index if asked.contrast is None else 0

    def predict(views: np.ndarray) -> np.ndarray:
        logits = classifier.logits(classifier.preprocessing.from_view(np.asarray(views, dtype=np.uint8)))
        scores = logits.double().cpu()  # n k
        return (probabilities(scores) if asked.contrast is None else asked.score(scores)[:, None]).numpy()

    hide = parameters.hide_color
    explainer = lime_image.LimeImageExplainer(
        kernel_width=parameters.kernel_width,
        feature_selection=parameters.feature_selection,
        random_state=seed,
    )
    with no_bars(lime_image):
        found = explainer.explain_instance(
            view,
            predict,
            labels=(label,),
            top_labels=None,
            hide_color=None if hide == "mean" else hidden_view(view, segments, hide),
            num_samples=parameters.most_samples,
            num_features=parameters.num_features or ALL,
            segmentation_fn=lambda _: segments,
            distance_metric=parameters.distance_metric,
            model_regressor=_regressor(parameters.model_regressor),
        )
    weights = np.zeros(int(segments.max()) + 1)
    for superpixel, weight in found.local_exp[label]:
        weights[superpixel] = weight
    return (np.maximum(weights, 0) if parameters.positive_only else weights)[segments]


def _regressor(how: ModelRegressor) -> object:
    if isinstance(how, Linear):
        return linear_model.LinearRegression()
    if isinstance(how, Lasso):
        return linear_model.Lasso(alpha=how.alpha)
    return linear_model.Ridge(alpha=how.alpha, fit_intercept=True)
