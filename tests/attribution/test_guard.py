"""The network comes back exactly as it was."""

import dataclasses

import pytest
import torch
from torch import nn

from xai_assets.attribution import cams
from xai_assets.attribution.explain import METHODS, explain
from xai_assets.attribution.guard import untouched


def state(network):
    """Everything that a method could leave behind."""
    return {
        "modules": [(name, id(module)) for name, module in network.named_modules()],
        "training": [module.training for module in network.modules()],
        "hooks": [
            sum(len(getattr(module, f"_{kind}_hooks")) for kind in ("forward", "forward_pre", "backward"))
            for module in network.modules()
        ],
        "requires_grad": [parameter.requires_grad for parameter in network.parameters()],
        "gradients": [id(parameter.grad) for parameter in network.parameters()],
        "bytes": [value.numpy().tobytes() for value in network.state_dict().values()],
    }


@pytest.mark.parametrize("method", METHODS)
def test_a_method_leaves_nothing_behind(method, classifier, pixels):
    before = state(classifier.network)
    explain(method, classifier, pixels, 1, layer="layer4", parameters=small(method))
    assert state(classifier.network) == before


@pytest.mark.parametrize("method", METHODS)
def test_a_method_leaves_a_network_in_training_as_it_is(method, classifier, pixels):
    network = classifier.network.train().requires_grad_(True)
    network.layer4.eval()
    given = torch.rand(2, 3, 16, 16)
    network(given).sum().backward()
    gradients = [parameter.grad.clone() for parameter in network.parameters()]
    before = state(network)
    explain(method, classifier, pixels, 1, layer="layer4", parameters=small(method))
    assert state(network) == before
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        assert torch.equal(parameter.grad, gradient)


@pytest.mark.parametrize("method", [method for method in METHODS if method != "lime"])
@pytest.mark.parametrize("error", [IndexError, RuntimeError, KeyboardInterrupt])
def test_an_error_in_the_forward_pass_is_raised_and_leaves_nothing(method, error, classifier, pixels):
    # The library's own context manager would print an IndexError and go on.
    failing = Failing(classifier.network, 1, error)
    broken = dataclasses.replace(classifier, network=failing)
    before = state(failing)
    with pytest.raises(error, match="on purpose"):
        explain(method, broken, pixels, 1, layer="inner.layer4", parameters=small(method))
    assert failing.calls <= 2  # one more where it is asked whether the network is the reason
    assert state(failing) == before


@pytest.mark.parametrize("call", range(1, 12))
def test_an_error_on_a_later_pass_leaves_nothing(call, classifier, pixels):
    # Whichever pass of checking, recording or replaying it falls into: raised, or another way is taken.
    failing = Failing(classifier.network, call, IndexError)
    failing.inner.layer4.register_forward_hook(lambda *_: None)
    broken = dataclasses.replace(classifier, network=failing)
    before = state(failing)
    raised, found = None, None
    try:
        found = explain("ablationcam", broken, pixels, 1, layer="inner.layer4", parameters={"batch_size": 2})
    except IndexError as error:
        raised = str(error)
    reasons = [raised] if found is None else found.details["turned_down"]
    assert failing.calls < call or any("on purpose" in why for why in reasons)
    assert state(failing) == before
    assert "forward" not in vars(failing.inner.layer4)


class Failing(nn.Module):
    def __init__(self, inner, call, error):
        super().__init__()
        self.inner, self.call, self.error, self.calls = inner, call, error, 0
        self.eval()

    def forward(self, x):
        self.calls += 1
        scores = self.inner(x)
        if self.calls == self.call:
            raise self.error("on purpose")
        return scores


def test_a_hook_of_the_owner_stays_and_its_handle_works(classifier):
    seen = []
    handle = classifier.network.layer4.register_forward_hook(lambda *_: seen.append(1))
    with untouched(classifier.network) as network:
        network.layer4.register_forward_hook(lambda *_: seen.append(2))
        network.layer4 = nn.Identity()
        network.fc.weight.requires_grad_(True)
    classifier.network(torch.zeros(1, 3, 8, 8))
    assert seen == [1]
    handle.remove()
    assert not classifier.network.layer4._forward_hooks


def test_nothing_is_printed(classifier, pixels, capfd):
    for method in METHODS:
        explain(method, classifier, pixels, 1, layer="layer4", parameters=small(method))
    assert capfd.readouterr() == ("", "")


def test_cudnn_settings_come_back(classifier):
    torch.backends.cudnn.benchmark = True
    try:
        with untouched(classifier.network):
            assert not torch.backends.cudnn.benchmark
            assert torch.backends.cudnn.deterministic
        assert torch.backends.cudnn.benchmark
    finally:
        torch.backends.cudnn.benchmark = False


def test_the_callers_tensor_is_not_marked(classifier):
    tensor = torch.rand(1, 3, 16, 16)
    before = tensor.clone()
    cams.gradcam(classifier, tensor, [0], "layer4")
    assert not tensor.requires_grad
    assert torch.equal(tensor, before)


def small(method):
    batched = {"ablationcam": {"batch_size": 4}, "scorecam": {"batch_size": 4}}
    return {"lime": {"num_samples": 20}, **batched}.get(method, {})
