"""What a classifier answers to a view with superpixels hidden: the forward passes of LIME.

Two pictures are normalised, the view and what hides it; every perturbed picture takes each pixel from one of the two,
in one buffer on the device, so that the network is given the same bits as if each had been normalised on its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.guard import untouched
from xai_assets.attribution.last_layer import Watched, last_linear, watch
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
        inputs: m c float32, what went into the last layer, where that was to be kept and is known.
        cut: with these, how many images of a batch went through the network together.
    """

    probabilities: np.ndarray
    network: str
    precision_error: float
    inputs: np.ndarray | None = None
    cut: int = 1


@dataclass(frozen=True)
class _Network:
    score: Callable[[Tensor], Tensor]
    kind: str
    dtype: torch.dtype = torch.float32
    watched: Watched | None = None

    @property
    def copied(self) -> bool:
        return not self.kind.startswith("as it is")


class PerturbedForward:
    """A classifier made ready for many perturbed pictures; its weights must not change meanwhile.

    Args:
        classifier: the model.
        keep: whether what goes into its last layer is kept, see `last_layer`.
    """

    def __init__(self, classifier: Classifier, *, keep: bool = False) -> None:
        self.classifier = classifier
        self._last = last_linear(classifier.network) if keep else None
        self._watched: dict[tuple[tuple[int, ...], torch.dtype], Watched] = {}
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
        asked = self.on(view, hidden, segments, rows, batch_size=batch_size, precision=precision)
        return asked.first(len(rows))

    def on(
        self,
        view: np.ndarray,
        hidden: np.ndarray,
        segments: np.ndarray,
        rows: np.ndarray,
        *,
        batch_size: int,
        precision: str = "float32",
    ) -> "PerturbedView":
        """The classifier on pictures of one view, asked as far as somebody wants to know; see `__call__`."""
        return PerturbedView(self, view, hidden, segments, rows, batch_size, precision)

    def network(self, image: Tensor, dtype: torch.dtype) -> _Network:
        """What answers pictures like this one (1 3 h w), made ready once."""
        key = (tuple(image.shape), dtype)
        if key not in self._networks:
            score, kind = quick_network(self.classifier.network, image, dtype=dtype)
            module: object = score
            if kind.startswith("as it is") and dtype == torch.float32:
                score, module = (
                    self.classifier.logits,
                    self.classifier.network,
                )  # it looks at the answer's shape
            bounded = Bounded(score, image.to(dtype), memory_mib=self.classifier.memory_mib)
            if self._last is not None and dtype == torch.float32:
                self._watched[key] = watch(bounded, module, self._last)
            score = bounded
            self._networks[key] = _Network(score, kind, dtype, self._watched.get(key))
        return self._networks[key]


class PerturbedView:
    """The pictures of one view, in their order: each is evaluated once, when it is first asked for.

    The first m of many are evaluated in the same batches as m alone, so that the answers are the same to the bit: whole
    batches are kept, and what is left behind the last of them is evaluated for each m.

    Args:
        forward: the classifier, made ready.
        view, hidden, segments, rows, batch_size, precision: as of `PerturbedForward`.
    """

    def __init__(
        self,
        forward: PerturbedForward,
        view: np.ndarray,
        hidden: np.ndarray,
        segments: np.ndarray,
        rows: np.ndarray,
        batch_size: int,
        precision: str,
    ) -> None:
        self._forward, self._batch_size, self._precision = forward, batch_size, precision
        classifier = forward.classifier
        self._pictures = classifier.preprocessing.from_view(np.stack([view, hidden])).to(
            classifier.device
        )  # 2 3 h w
        self._patches = torch.from_numpy(segments).flatten().to(classifier.device)
        self._shown = torch.from_numpy(rows.astype(bool)).to(classifier.device)
        self._exact: _Network | None = None
        self._whole: list[_Found] = []
        self._last: tuple[int, _Found] | None = None
        self._errors: dict[int, float] = {}

    def first(self, count: int) -> Answers:
        """The answers to the first so many pictures.

        Raises:
            AttributionError: the classifier answers something that is not finite.
        """
        with untouched(self._forward.classifier.network):
            network = self._network()
            found = self._found(network, count)
            error = 0.0 if self._precision == "float32" else self._error(found.probabilities)
        self._refuse_what_is_not_finite(found.probabilities)
        return Answers(
            found.probabilities,
            network.kind,
            error,
            found.inputs,
            network.watched.images if network.watched is not None else 1,
        )

    def _network(self) -> _Network:
        """What is evaluated: the reduced copy where precision is reduced, else what agrees with the network itself."""
        if self._exact is None:
            self._exact = self._checked()
        if self._precision == "float32":
            return self._exact
        return self._forward.network(self._pictures[:1], getattr(torch, self._precision))

    def _checked(self) -> _Network:
        network = self._forward.network(self._pictures[:1], torch.float32)
        if not network.copied:
            return network
        own, few = _Network(self._forward.classifier.logits, "as it is"), self._shown[:_CHECKED]
        off = np.abs(self._answers(network, few).probabilities - self._answers(own, few).probabilities).max()
        if off <= TOLERANCE:
            return network
        return _Network(own.score, f"as it is (the {network.kind} copy's probabilities are {off:.1e} off)")

    def _found(self, network: _Network, count: int) -> "_Found":
        known, whole = sum(len(one.probabilities) for one in self._whole), count - count % self._batch_size
        if whole > known:
            self._whole.append(self._answers(network, self._shown[known:whole]))
        found = list(self._whole)
        if count > whole:
            if self._last is None or self._last[0] != count:
                self._last = (count, self._answers(network, self._shown[whole:count]))
            return _together([*([_together(found, whole)] if found else []), self._last[1]], count)
        return _together(found, whole)

    def _error(self, found: np.ndarray) -> float:
        count = min(self._batch_size, len(found))
        if count not in self._errors:
            assert self._exact is not None
            exact = self._answers(self._exact, self._shown[:count]).probabilities
            self._errors[count] = float(np.abs(found[:count] - exact).max())
        return self._errors[count]

    def _answers(self, network: _Network, shown: Tensor) -> "_Found":
        answers = _probabilities(network, self._pictures, self._patches, shown, self._batch_size)
        inputs = network.watched.take() if network.watched is not None else None
        return _Found(answers, None if inputs is None else torch.cat(inputs).numpy())

    def _refuse_what_is_not_finite(self, probabilities: np.ndarray) -> None:
        bad = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
        if len(bad):
            raise AttributionError(
                f"LIME on {self._forward.classifier.name}",
                f"the model's scores of {len(bad)} of {len(probabilities)} perturbed pictures are not finite",
                "Look at the checkpoint, or use precision float32.",
            )


@dataclass(frozen=True)
class _Found:
    """Of some pictures: m k float64, and m c float32 of what went into the last layer, where it is known."""

    probabilities: np.ndarray
    inputs: np.ndarray | None


def _together(found: Sequence[_Found], count: int) -> _Found:
    """The first so many of several."""
    inputs = [one.inputs for one in found if one.inputs is not None]
    return _Found(
        np.concatenate([one.probabilities for one in found])[:count],
        np.concatenate(inputs)[:count] if len(inputs) == len(found) else None,
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
