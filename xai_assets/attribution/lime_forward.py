"""What a classifier answers to a view with superpixels hidden: the forward passes of LIME.

Two pictures are normalised, the view and what hides it; every perturbed picture takes each pixel from one of the two,
in one buffer on the device, so that the network is given the same bits as if each had been normalised on its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.guard import untouched
from xai_assets.attribution.quick_network import quick_network
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.outputs import probabilities
from xai_assets.vision.pass_memory import Bounded

TOLERANCE = 1e-6
"""The quick copy's probabilities may differ by so much from the network's own; else the network itself is used."""

_CHECKED = 2
"""Perturbed pictures of every view that the network itself answers too: the view, and one sample."""


@dataclass(frozen=True)
class Answers:
    """What the classifier answered.

    Attributes:
        probabilities: m k float64, of the float32 logits.
        network: what was evaluated: "fused" or "folded" copy, or "as it is" with the reason.
        precision_error: the largest difference of a probability that reduced precision made in the first batch; 0
            where nothing was reduced.
    """

    probabilities: np.ndarray
    network: str
    precision_error: float


@dataclass(frozen=True)
class _Network:
    score: Callable[[Tensor], Tensor]
    kind: str
    dtype: torch.dtype = torch.float32

    @property
    def copied(self) -> bool:
        return not self.kind.startswith("as it is")


class PerturbedForward:
    """A classifier made ready for many perturbed pictures; its weights must not change meanwhile.

    Args:
        classifier: the model.
    """

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self._networks: dict[tuple[tuple[int, ...], torch.dtype], _Network] = {}

    def __call__(
        self,
        view: np.ndarray,
        hidden: np.ndarray,
        segments: np.ndarray,
        rows: np.ndarray,
        *,
        batch_size: int,
        precision: str = "float32",
    ) -> Answers:
        """The classifier's answers.

        Args:
            view: h w 3 uint8, shown where a superpixel is shown.
            hidden: h w 3 uint8, shown elsewhere.
            segments: h w int64, superpixels from 0.
            rows: m s of 0 and 1, which superpixels each picture shows.
            batch_size: pictures in one forward pass.
            precision: float32 or bfloat16.

        Raises:
            AttributionError: the classifier answers something that is not finite.
        """
        pictures = self.classifier.preprocessing.from_view(np.stack([view, hidden])).to(
            self.classifier.device
        )  # 2 3 h w
        patches = torch.from_numpy(segments).flatten().to(self.classifier.device)
        shown = torch.from_numpy(rows.astype(bool)).to(self.classifier.device)

        def answers(network: _Network, some: Tensor) -> np.ndarray:
            return _probabilities(network, pictures, patches, some, batch_size)

        with untouched(self.classifier.network):
            network = self._network(pictures[:1], torch.float32)
            if network.copied:
                own = _Network(self.classifier.logits, "as it is")
                off = np.abs(answers(network, shown[:_CHECKED]) - answers(own, shown[:_CHECKED])).max()
                if not off <= TOLERANCE:
                    network = _Network(
                        own.score, f"as it is (the {network.kind} copy's probabilities are {off:.1e} off)"
                    )
            error = 0.0
            if precision == "float32":
                found = answers(network, shown)
            else:
                reduced = self._network(pictures[:1], getattr(torch, precision))
                found = answers(reduced, shown)
                exact = answers(network, shown[:batch_size])
                error = float(np.abs(found[: len(exact)] - exact).max())
                network = reduced
        self._refuse_what_is_not_finite(found)
        return Answers(found, network.kind, error)

    def _network(self, image: Tensor, dtype: torch.dtype) -> _Network:
        key = (tuple(image.shape), dtype)
        if key not in self._networks:
            score, kind = quick_network(self.classifier.network, image, dtype=dtype)
            if kind.startswith("as it is") and dtype == torch.float32:
                score = self.classifier.logits  # it looks at the answer's shape
            score = Bounded(score, image.to(dtype), memory_mib=self.classifier.memory_mib)
            self._networks[key] = _Network(score, kind, dtype)
        return self._networks[key]

    def _refuse_what_is_not_finite(self, probabilities: np.ndarray) -> None:
        bad = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
        if len(bad):
            raise AttributionError(
                f"LIME on {self.classifier.name}",
                f"the model's scores of {len(bad)} of {len(probabilities)} perturbed pictures are not finite",
                "Look at the checkpoint, or use precision float32.",
            )


def _probabilities(
    network: _Network, pictures: Tensor, patches: Tensor, shown: Tensor, batch_size: int
) -> np.ndarray:
    """Probabilities by a network's scores of perturbed images.

    Args:
        network: n 3 h w -> n k.
        pictures: 2 3 h w float32: the view and what hides it, normalised.
        patches: (h w) int64, each pixel's superpixel.
        shown: m s bool.
        batch_size: pictures in one forward pass.

    Returns:
        m k float64.
    """
    last = network.copied  # copies want channels last; a network of one's own may ask for the usual layout
    flat = pictures.to(network.dtype).flatten(2)  # 2 3 h w -> 2 3 (h w)
    view, hidden = flat.transpose(1, 2).contiguous() if last else flat
    found = []
    with torch.inference_mode():
        buffer = torch.empty((min(batch_size, len(shown)), *view.shape), dtype=view.dtype, device=view.device)
        for rows in shown.split(batch_size):
            mask = rows[:, patches].unsqueeze(2 if last else 1)  # b s -> b (h w) 1, or b 1 (h w)
            batch = torch.where(mask, view, hidden, out=buffer[: len(rows)])
            batch = (batch.transpose(1, 2) if last else batch).unflatten(2, pictures.shape[2:])  # b 3 h w
            found.append(network.score(batch).float())  # b 3 h w -> b k
        logits = torch.cat(found).double().cpu()
    return probabilities(logits).numpy()
