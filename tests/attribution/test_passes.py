"""How forward passes are computed, in words."""

import torch

from tests.attribution import networks
from tests.attribution.conftest import make_classifier
from tests.attribution.test_quick_network import Rigid
from xai_assets.attribution import cams
from xai_assets.attribution.passes import of_map, of_network
from xai_assets.attribution.split import LayerSplit


def test_a_network_says_by_which_copy_and_whether_that_is_quick():
    torch.manual_seed(0)
    image = torch.randn(1, 3, 32, 32)
    said, quick = of_network(networks.resnet().eval(), image)
    assert quick
    assert said.startswith("by a copy with batch norm folded")
    said, quick = of_network(networks.Branching().eval(), image)
    assert not quick
    assert said.startswith(
        "by a copy that lies channels last, not fused (fused, folded: TraceError: symbolically"
    )


def test_a_map_says_how_it_was_made():
    torch.manual_seed(0)
    image = torch.randn(1, 3, 32, 32)
    for build, layer, said in (
        (networks.resnet, "layer3", "behind the layer by graph cut"),
        (networks.Branching, "stem", "behind the layer by replay (graph cut: TraceError: symbolically"),
    ):
        model = make_classifier(build())
        split = LayerSplit(model.network, layer, model.device)
        for function in (cams.gradcam, cams.ablationcam):
            (found,) = function(model, image, [0], layer, split=split)
            assert of_map(found.details).startswith(said)
    (found,) = cams.scorecam(model, image, [0], "stem")
    assert of_map(found.details).startswith("forward passes by a copy that lies channels last")
    assert of_map({}) is None


def test_scorecam_of_a_network_that_takes_the_usual_layout_only():
    torch.manual_seed(0)
    model = make_classifier(Rigid())
    (found,) = cams.scorecam(model, torch.randn(1, 3, 32, 32), [0], "stem")
    assert of_map(found.details).startswith(
        "forward passes by the network as it is, the slow way (fused, folded: "
    )
