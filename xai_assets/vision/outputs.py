"""What a classifier's outputs say: scores become probabilities, and a single output becomes two classes."""

import torch
from torch import Tensor, nn


def probabilities(logits: Tensor) -> Tensor:
    """Scores (n k) as probabilities in 0..1 of the same type: softmax over k classes; of a single output its sigmoid.

    A softmax over one class is 1 whatever the network answers.
    """
    return torch.sigmoid(logits) if logits.shape[1] == 1 else torch.softmax(logits, dim=1)


def two_sided(network: nn.Module) -> nn.Module:
    """The same network with the scores (-z/2, z/2) for its single output z, so that it has two classes.

    Their softmax is (1 - sigmoid(z), sigmoid(z)). What is asked of class scores (gradients, ablations) works as for any
    two classes: the evidence for the second class is the evidence against the first. Paths of layers stay as they are.
    """
    kind = type(network)

    class TwoSided(kind):  # type: ignore[misc, valid-type]
        def forward(self, images: Tensor) -> Tensor:
            score = super().forward(images).reshape(len(images), 1) / 2  # n 1
            return torch.cat([-score, score], dim=1)  # n 2

    TwoSided.__name__, TwoSided.__qualname__, TwoSided.__module__ = (
        kind.__name__,
        kind.__qualname__,
        kind.__module__,
    )
    network.__class__ = TwoSided
    return network


def class_names(names: tuple[str, ...], outputs: int) -> tuple[str, ...]:
    """The names of the classes: of a single output two, the first where it is negative.

    One name is that of the positive class; a mere number of classes, which gives the name "0", becomes 0 and 1.
    """
    if outputs != 1 or len(names) != 1:
        return names
    return ("0", "1") if names == ("0",) else (f"not {names[0]}", names[0])
