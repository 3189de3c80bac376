"""Networks of every kind that torchvision and timm have: each has the library's map, or is refused with the reason."""

import pytest

from tests.reference.matrix import NETWORKS, row

QUICK = ("torchvision/shufflenet_v2_x0_5", "timm/crossvit_tiny_240", "timm/xcit_nano_12_p16_224")
"""Looked at in every run of the suite; all in the slow one."""


@pytest.mark.parametrize(
    ("name", "layer", "size"),
    [
        pytest.param(name, layer, size, marks=[] if name in QUICK else pytest.mark.slow, id=f"{name}-{layer}")
        for (name, layer), size in NETWORKS.items()
    ],
)
def test_each_network_agrees_or_is_refused_with_the_reason(name, layer, size):
    found = row(name, layer, size)
    assert found.lime is not None and found.lime < 1e-5
    if (name, layer) == ("timm/crossvit_tiny_240", "blocks.2"):
        assert "gives a list" in found.refused
        return
    assert not found.refused
    assert found.correlation is None or found.correlation > 0.99999
    assert found.ablation is not None and found.ablation < 1e-3
    assert found.score is not None and found.score < 1e-4
