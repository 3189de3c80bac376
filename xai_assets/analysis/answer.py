"""What a model says about one image: its view of it, its input, and a probability for each class."""

from dataclasses import dataclass

import numpy as np
import torch

from xai_assets.errors import XaiError
from xai_assets.memory import out_of_memory
from xai_assets.vision import outputs
from xai_assets.vision.classifiers import Classifier


@dataclass(frozen=True)
class Answer:
    """What the model says about one image.

    Attributes:
        view: h w 3 uint8, what the model sees.
        batch: 1 3 h w float32, its input.
        scores: k float64, the probabilities of the classes.
    """

    view: np.ndarray
    batch: torch.Tensor
    scores: np.ndarray

    @property
    def best(self) -> int:
        """The predicted class."""
        return int(self.scores.argmax())


def answer(
    classifier: Classifier, pixels: np.ndarray, image_id: str, *, scores: np.ndarray | None = None
) -> Answer:
    """Ask the model about one image (h w 3 uint8); with `scores` (k, finite) it has answered already.

    Raises:
        XaiError: the network cannot take an image of that size, answers something else than a score a class, or
            scores that are not finite.
    """
    preprocessing = classifier.preprocessing
    view = preprocessing.view(pixels)
    if preprocessing.spec.steps is None:
        batch = preprocessing.from_view(view[None])
    else:
        batch = preprocessing.tensor(pixels)[None]  # h w 3 -> 1 3 h w
    if scores is not None:
        return Answer(view, batch, scores.astype(np.float64))
    try:
        logits = classifier.logits(batch)  # 1 3 h w -> 1 k
    except (RuntimeError, ValueError, AssertionError, IndexError) as error:
        if out_of_memory(error):
            raise
        raise XaiError(
            f"{classifier.name} on {image_id}",
            f"does not answer an input of {view.shape[1]} x {view.shape[0]} pixels ({error})",
            "Look at the size in the model's preprocessing.",
        ) from error
    scores = outputs.probabilities(logits.double().cpu())[0].numpy()  # k
    if not np.isfinite(scores).all():
        raise XaiError(
            f"{classifier.name} on {image_id}",
            "gives scores that are not finite",
            "Look at the checkpoint: its weights or its normalisation are damaged.",
        )
    return Answer(view, batch, scores)
