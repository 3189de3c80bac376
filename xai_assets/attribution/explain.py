"""The one way in: a method's name, a classifier, an image and a class give a map in the model's frame."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from pydantic import ValidationError
from torch import nn

from xai_assets.attribution import cams
from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.last_layer import Watched, last_linear, watch
from xai_assets.attribution.lime_forward import PerturbedForward
from xai_assets.attribution.lime_image import Lime, explain_perturbations
from xai_assets.attribution.lime_regression import LEAST_EFFECTIVE
from xai_assets.attribution.maps import NO_FIT, SIGNED_LAYER, AttributionMap, flags_of
from xai_assets.attribution.parameters import (
    PARAMETERS,
    AblationCAMParameters,
    LimeParameters,
    Parameters,
    ScoreCAMParameters,
)
from xai_assets.attribution.score import LastScores, ScoreMemory, Scorer
from xai_assets.attribution.split import LayerSplit
from xai_assets.attribution.target_layers import layer_of
from xai_assets.attribution.targets import Target
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.geometry import Frame
from xai_assets.vision.pass_memory import Bounded
from xai_assets.vision.spec import LayoutSpec

METHODS = tuple(PARAMETERS)
"""The methods' names, in the order of every table."""

TRIAL_SAMPLES = 2
"""Of LIME: the view itself and one perturbed copy."""

CODE_VERSION = "attribution 3"
"""Goes into the key of every kept map: raise it when the same inputs give another map. 3: networks whose code looks at
shapes, such as timm's, are fused as well, and AblationCAM inside a network has the first convolutions in one step."""

_LIME_VERSION = "lime 2"
"""As CODE_VERSION, of LIME's maps alone: 2 says where a surrogate explains nothing."""

_LIME_NUMBERS = (
    "r2",
    "intercept",
    "surrogate_probability",
    "probability",
    "effective_samples",
    "evaluated",
    "network",
    "precision_error",
)

_Found = tuple[np.ndarray, dict[str, np.ndarray], dict[str, Any], tuple[str, ...]]


def code_version(method: str) -> str:
    """What goes into the key of a kept map of this method: it changes when the same inputs give another."""
    return f"{CODE_VERSION}, {_LIME_VERSION}" if method == "lime" else CODE_VERSION


def explain(
    method: str,
    classifier: Classifier,
    pixels: np.ndarray,
    target: int | str,
    *,
    contrast: int | str | None = None,
    layer: str | None = None,
    layout: LayoutSpec | None = None,
    parameters: Parameters | Mapping[str, Any] | None = None,
    seed: int = 0,
    image_id: str = "",
) -> AttributionMap:
    """Explain one class of one image, or one rather than another: an `Explainer`, with its arguments, for one call."""
    explainer = Explainer(method, classifier, layer=layer, layout=layout, parameters=parameters, seed=seed)
    return explainer(pixels, target, contrast=contrast, image_id=image_id)


class Rehearsal(NamedTuple):
    """What a method would work on.

    Attributes:
        works_on: for people: the layer with its channels, or the superpixels.
        warning: what the map would warn of.
        channels: of the target layer; 0 for LIME, which has none.
    """

    works_on: str
    warning: str | None = None
    channels: int = 0


class Prepared(NamedTuple):
    """An image and what is asked of it, ready for the network.

    Attributes:
        tensor: 3 h w float32, normalised.
        frame: how the model's frame lies in the image.
        asked: the target class, or the difference of two.
        image_id: the image's name, for the record.
    """

    tensor: torch.Tensor
    frame: Frame
    asked: Target
    image_id: str


class Explainer:
    """One method on one classifier, for many images: what does not depend on the image is prepared once.

    The classifier's weights must not change meanwhile. A call takes one image: a batch's size changes the last digits of
    a convolution. `together` takes several, for methods that are a formula of one pass.

    Args:
        method: one of METHODS.
        classifier: the model, with its preprocessing.
        layer: module path of the target layer, unused by LIME; None: the one that `target_layers` takes.
        layout: how the layer's output is to be read; None: it is read off it.
        parameters: the method's own class, or its fields; the defaults when None.
        seed: of LIME's samples and of ScoreCAM's fast mode; nothing else is random.
        keep: whether what goes into the network's last layer is kept for each map, see `inputs`.

    Attributes:
        inputs: of the last map by ScoreCAM or LIME, m c float32, what went into the network's last layer for each of the
            altered images, in their order; None where it was not kept or the last layer is not linear.
        cut: with these, how many images of a batch went through the network together.

    Raises:
        AttributionError: an unknown method, parameters that do not fit, a network without a layer with positions.
        UnknownLayer: a path that names no module.
    """

    def __init__(
        self,
        method: str,
        classifier: Classifier,
        *,
        layer: str | None = None,
        layout: LayoutSpec | None = None,
        parameters: Parameters | Mapping[str, Any] | None = None,
        seed: int = 0,
        keep: bool = False,
    ) -> None:
        self.inputs: np.ndarray | None = None
        self.cut = 1
        self._keep = last_linear(classifier.network) if keep else None
        self.method, self.classifier, self.seed, self.layout = method, classifier, seed, layout
        self.parameters = _parameters(method, parameters)
        self.layer: str | None = None
        self._split: LayerSplit | None = None
        self._scorers: dict[tuple[int, ...], Scorer] = {}
        self._watched: dict[tuple[int, ...], Watched] = {}
        self._lime = Lime(classifier, seed=seed, forward=PerturbedForward(classifier, keep=keep))
        self._last_scores = LastScores()
        if method != "lime":
            self.layer = layer or layer_of(classifier)
            self._split = LayerSplit(classifier.network, self.layer, classifier.device, layout)

    def __call__(
        self,
        pixels: np.ndarray,
        target: int | str,
        *,
        contrast: int | str | None = None,
        image_id: str = "",
        memory: ScoreMemory | None = None,
    ) -> AttributionMap:
        """Explain one class of one image, or why that class rather than another.

        Further targets of the same image in a row cost LIME a regression, and ScoreCAM next to nothing.

        Args:
            pixels: h w 3 uint8 RGB, the original image.
            target: the class, by index or by name.
            contrast: another class: the difference of the two is explained, see `targets`.
            image_id: the image's name, for the record.
            memory: of this very map: what an interrupted call has scored, which ScoreCAM goes on from.

        Returns:
            The map in the model's frame: for LIME as well, which perturbs the model's own view, so that all maps
            of an image lie in one frame. `extras`: `low_resolution` (h' w') and `channel_weights` (c) of the CAM
            methods that have them; of LIME `segments` (h w int32) and `weights` (one a superpixel), and with
            `top_labels` these (k) and their `top_weights` (k s). `details`: how a CAM was computed (see `cams`);
            LIME's numbers (see `LimeResult`; `samples` and `stable` where their number was left to the mask; of a
            difference `log_odds` and `surrogate_log_odds` in place of the two probabilities), `superpixels` and `top_r2`.
            The same arguments give the same bytes on the same machine.

        Raises:
            AttributionError: a layer without a map; a class rather than itself; the difference of two classes of a method
                that looks at no class.
            UnknownClass: a class that the model does not have.
        """
        asked = self._asked(target, contrast)
        if isinstance(self.parameters, LimeParameters):
            found = self._explain_lime(pixels, asked, self.parameters)
        else:
            found = self._cam(pixels, asked, memory)
        return self._map(found, asked, self.classifier.preprocessing.frame(*pixels.shape[:2]), image_id)

    def prepared(
        self, pixels: np.ndarray, target: int | str, *, contrast: int | str | None = None, image_id: str = ""
    ) -> Prepared:
        """An image (h w 3 uint8) for `together`; arguments as of a call. It may be made in another thread."""
        frame = self.classifier.preprocessing.frame(*pixels.shape[:2])
        asked = self._asked(target, contrast)
        return Prepared(self.classifier.preprocessing.tensor(pixels), frame, asked, image_id)

    def together(self, batch: Sequence[Prepared]) -> list[AttributionMap]:
        """Maps as a call gives them, of images whose inputs have one size, by one pass of all.

        Of the methods of `formulas` alone.

        Raises:
            AttributionError: as a call, where it is so of one of them.
        """
        assert self._split is not None
        tensor = torch.stack([one.tensor for one in batch])  # n times 3 h w -> n 3 h w
        asked = [one.asked for one in batch]
        found = cams.gradcam(
            self.classifier, tensor, asked, self._split.layer, method=self.method, split=self._split
        )
        return [
            self._map(_of_cam(cam), one.asked, one.frame, one.image_id)
            for cam, one in zip(found, batch, strict=True)
        ]

    def _map(self, found: _Found, asked: Target, frame: Frame, image_id: str) -> AttributionMap:
        values, extras, details, flags = found
        names = self.classifier.class_names
        return AttributionMap(
            values=values,
            method=self.method,
            image_id=image_id,
            target=asked.index,
            target_name=names[asked.index],
            layer=self.layer,
            frame=frame,
            parameters=self.parameters.model_dump(mode="json"),
            seed=self.seed,
            flags=(*flags_of(values), *flags),
            extras=extras,
            details=details,
            contrast=asked.contrast,
            contrast_name=None if asked.contrast is None else names[asked.contrast],
        )

    def _asked(self, target: int | str, contrast: int | str | None) -> Target:
        of = self.classifier.class_index
        return Target(of(target), None if contrast is None else of(contrast))

    def rehearse(self, pixels: np.ndarray, target: int | str) -> Rehearsal:
        """Raise what a call with these arguments would raise, at a small part of its cost.

        The layer's output, its gradient and the split behind it are computed as for a map; no channel is ablated or
        scored. LIME cuts the view and asks about as few samples as there can be.
        """
        index = self.classifier.class_index(target if isinstance(target, str) else int(target))
        if isinstance(self.parameters, LimeParameters):
            few = self.parameters.fixed(TRIAL_SAMPLES)
            cut = self._lime.perturb(self.classifier.preprocessing.view(pixels), few)
            return Rehearsal(f"{int(cut.segments.max()) + 1} superpixels")
        assert self._split is not None
        tensor = self.classifier.preprocessing.tensor(pixels)[None]  # 3 h w -> 1 3 h w
        shape, warning = cams.rehearse(self.classifier, tensor, index, self._split, method=self.method)
        channels, height, width = shape
        return Rehearsal(f"{self.layer} of {channels} channels, {height} x {width}", warning, channels)

    def _cam(self, pixels: np.ndarray, target: Target, memory: ScoreMemory | None) -> _Found:
        tensor = self.classifier.preprocessing.tensor(pixels)[None]  # 3 h w -> 1 3 h w
        assert self._split is not None
        given = (self.classifier, tensor, [target], self._split.layer)
        match self.parameters:
            case AblationCAMParameters():
                (cam,) = cams.ablationcam(*given, parameters=self.parameters, split=self._split)
            case ScoreCAMParameters():
                scorer, how = self._scorer(tensor, self.parameters), self.parameters
                known = self._last_scores.of(tensor, memory)
                (cam,) = cams.scorecam(
                    *given, parameters=how, layout=self.layout, scorer=scorer, memory=known, seed=self.seed
                )
                self.inputs = self._inputs(tuple(tensor.shape), int(cam.details["scored"]))
            case _:
                (cam,) = cams.gradcam(*given, method=self.method, split=self._split)
        return _of_cam(cam)

    def _scorer(self, tensor: torch.Tensor, parameters: ScoreCAMParameters) -> Scorer:
        shape = tuple(tensor.shape)
        if shape not in self._scorers:
            made = cams.make_scorer(self.classifier, tensor.to(self.classifier.device), parameters)
            if self._keep is not None and made.dtype == torch.float32 and isinstance(made.network, Bounded):
                inner = made.network.network
                module = inner if isinstance(inner, nn.Module) else self.classifier.network
                self._watched[shape] = watch(made.network, module, self._keep)
            self._scorers[shape] = made
        return self._scorers[shape]

    def _inputs(self, shape: tuple[int, ...], scored: int) -> np.ndarray | None:
        """What went into the last layer; of a further target of the same image, of which nothing is scored, as before."""
        calls = self._watched[shape].take() if shape in self._watched else None
        if calls is None:
            return None
        self.cut = self._watched[shape].images
        found = torch.cat(calls).numpy() if calls else self.inputs
        return found if found is not None and len(found) == scored else None

    def _explain_lime(self, pixels: np.ndarray, target: Target, parameters: LimeParameters) -> _Found:
        view = self.classifier.preprocessing.view(pixels)
        samples = self._lime.perturb(view, parameters, target)
        (found,) = explain_perturbations(samples, [target], parameters)
        self.inputs, self.cut = samples.inputs, samples.cut
        extras = {"segments": found.segments.astype(np.int32), "weights": found.weights}
        details = {name: getattr(found, name) for name in _LIME_NUMBERS} | {"superpixels": len(found.weights)}
        if found.stable is not None:
            details |= {"samples": found.samples, "stable": found.stable}
        if target.contrast is not None:
            details = {name.replace("probability", "log_odds"): value for name, value in details.items()}
        if found.top:
            extras["top_labels"] = np.array([surrogate.target for surrogate in found.top])
            extras["top_weights"] = np.stack([surrogate.weights for surrogate in found.top])
            details["top_r2"] = [surrogate.r2 for surrogate in found.top]
        if found.r2 is not None:
            return found.values, extras, details, ()
        few = found.effective_samples < LEAST_EFFECTIVE
        what = "probability" if target.contrast is None else "difference of the two classes"
        details["warning"] = (
            f"of {found.samples} samples so few count (as {found.effective_samples:.1f}) that the surrogate "
            "explains nothing: give a larger `kernel_width`, or the cosine distance"
            if few
            else f"the {what} is the same whatever is hidden, so that there is nothing to explain"
        )
        return found.values, extras, details, (NO_FIT,)


def _of_cam(cam: cams.Cam) -> _Found:
    extras = {"low_resolution": cam.low_resolution}
    if cam.channel_weights is not None:
        extras["channel_weights"] = cam.channel_weights
    return cam.values, extras, dict(cam.details), (SIGNED_LAYER,) if cam.signed_layer else ()


def _parameters(method: str, given: Parameters | Mapping[str, Any] | None) -> Parameters:
    if method not in PARAMETERS:
        raise AttributionError(f"the method {method!r}", "is not known", f"Use one of {', '.join(METHODS)}.")
    wanted = PARAMETERS[method]
    if isinstance(given, wanted):
        return given
    if given is not None and not isinstance(given, Mapping):
        raise AttributionError(
            f"parameters of {method}", f"are {type(given).__name__}", f"Use {wanted.__name__}."
        )
    try:
        return wanted.model_validate(dict(given or {}))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "parameters"
        raise AttributionError(
            f"{method}: {where}", first["msg"], f"See {wanted.__name__} for what it takes."
        ) from error
