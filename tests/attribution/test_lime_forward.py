"""The forward passes of LIME: the pictures are the library's to the bit, and the quick copy never lies."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.attribution.conftest import TinyNet, make_classifier
from xai_assets.attribution import lime_forward
from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.lime_forward import PerturbedForward
from xai_assets.attribution.lime_perturbation import draw, hidden_view


@pytest.fixture
def perturbed(pixels):
    segments = np.random.default_rng(0).integers(0, 6, size=pixels.shape[:2])
    return pixels, hidden_view(pixels, segments, "mean"), segments, draw(0, 11, 6)


def composites(view, hidden, segments, rows):
    return np.stack([np.where((row == 1)[segments][..., None], view, hidden) for row in rows])


class Branching(nn.Module):
    """Cannot be traced; takes the usual layout only; remembers what it was given."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        if x.sum() > 1e9:
            raise AssertionError
        self.seen.append(x.clone())
        return x.view(len(x), -1)[:, :5].contiguous()


def test_the_network_sees_the_bits_that_each_picture_alone_would_give(perturbed):
    network = Branching()
    model = make_classifier(network)
    PerturbedForward(model)(*perturbed, batch_size=4)
    expected = model.preprocessing.from_view(composites(*perturbed))
    assert torch.equal(torch.cat(network.seen[-3:]), expected)
    assert [len(batch) for batch in network.seen[-3:]] == [4, 4, 3]


def test_a_network_that_cannot_be_copied_is_used_as_it_is(perturbed):
    model = make_classifier(Branching())
    found = PerturbedForward(model)(*perturbed, batch_size=5)
    assert found.network.startswith("as it is (")
    expected = torch.softmax(model.logits(model.preprocessing.from_view(composites(*perturbed))).double(), 1)
    np.testing.assert_array_equal(found.probabilities, expected.numpy())


def test_the_quick_copy_answers_what_the_network_does(perturbed, classifier):
    found = PerturbedForward(classifier)(*perturbed, batch_size=5)
    assert found.network in ("fused", "folded")
    assert found.precision_error == 0
    inputs = classifier.preprocessing.from_view(composites(*perturbed))
    expected = torch.softmax(classifier.logits(inputs).double(), 1).numpy()
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)


def test_a_copy_that_answers_differently_is_not_used(perturbed, classifier, monkeypatch):
    def slightly_wrong(network, image, *, dtype):
        return lambda batch: network(batch) * 1.0001, "fused"

    monkeypatch.setattr(lime_forward, "quick_network", slightly_wrong)
    found = PerturbedForward(classifier)(*perturbed, batch_size=5)
    assert found.network.startswith("as it is (the fused copy's probabilities are ")
    inputs = classifier.preprocessing.from_view(composites(*perturbed))
    expected = torch.softmax(classifier.logits(inputs).double(), 1).numpy()
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-7)


def test_a_networks_copy_is_made_once_a_shape(perturbed, classifier, monkeypatch):
    made = []
    original = lime_forward.quick_network
    monkeypatch.setattr(
        lime_forward, "quick_network", lambda *given, **named: made.append(1) or original(*given, **named)
    )
    forward = PerturbedForward(classifier)
    view, hidden, segments, rows = perturbed
    forward(*perturbed, batch_size=5)
    forward(*perturbed, batch_size=3)
    assert len(made) == 1
    forward(view[:16], hidden[:16], segments[:16], rows, batch_size=5)
    assert len(made) == 2


def test_reduced_precision_says_how_far_off_it_was(perturbed, classifier):
    forward = PerturbedForward(classifier)
    exact = forward(*perturbed, batch_size=11)
    reduced = forward(*perturbed, batch_size=11, precision="bfloat16")
    off = np.abs(exact.probabilities - reduced.probabilities).max()
    assert 0 < off < 0.05
    assert reduced.precision_error == pytest.approx(off)


def test_answers_that_are_not_finite_are_refused(perturbed):
    network = TinyNet()
    network.fc.bias.data[2] = float("nan")
    with pytest.raises(AttributionError, match="scores of 11 of 11 perturbed pictures are not finite"):
        PerturbedForward(make_classifier(network))(*perturbed, batch_size=5)
