"""One pass over a probe set: the numbers of a plain pass, and a network left as it was."""

import numpy as np
import pytest
import torch

from xai_assets.dissection.activations import Activations, collect
from xai_assets.dissection.probe import ArrayProbe
from xai_assets.errors import XaiError


@pytest.fixture
def probe():
    return ArrayProbe(list(np.random.default_rng(1).integers(0, 256, (7, 16, 16, 3), np.uint8)))


def test_all_layers_come_from_one_pass(probe, classifier):
    model = classifier()
    passes = []
    model.network.register_forward_hook(lambda *_: passes.append(1))
    found = collect(model, ["maps", "tokens", "vector"], probe, batch_size=3, dtype="float32")
    assert len(passes) == 3  # 3 + 3 + 1 images
    maps, tokens, vector = (found.layers[name] for name in ("maps", "tokens", "vector"))
    batch = torch.stack([model.preprocessing.tensor(probe.image(i)) for i in range(7)])
    expected = torch.nn.functional.avg_pool2d(batch, 4).numpy()
    np.testing.assert_allclose(maps.maps[:, :3], expected, rtol=1e-6)
    np.testing.assert_allclose(maps.pooled[:, :3], expected.mean((2, 3)), rtol=1e-5)
    np.testing.assert_allclose(maps.peak[:, :3], expected.max((2, 3)), rtol=1e-6)
    np.testing.assert_allclose(tokens.pooled, maps.pooled, rtol=1e-5)  # the class token is left out
    np.testing.assert_allclose(vector.pooled, maps.pooled, rtol=1e-5)
    assert (maps.kind, tokens.kind, vector.kind) == ("map", "tokens", "vector")
    assert tokens.maps is None and vector.maps is None and maps.pooled.dtype == np.float32
    assert maps.dead.tolist() == [False, False, False, True, True]  # constant, and never above zero


def test_arrays_and_back(probe, classifier):
    found = collect(classifier(), ["maps", "vector"], probe)
    back = Activations.from_arrays(found.to_arrays(), found.to_meta())
    assert back.ids == found.ids and list(back.layers) == ["maps", "vector"]
    np.testing.assert_array_equal(back.layers["maps"].maps, found.layers["maps"].maps)
    assert found.layers["maps"].maps.dtype == np.float16


def test_large_maps_go_to_the_folder(probe, tmp_path, classifier):
    found = collect(classifier(), ["maps"], probe, memory_limit=10, folder=tmp_path)
    assert isinstance(found.layers["maps"].maps, np.memmap) and (tmp_path / "maps.npy").is_file()
    np.testing.assert_array_equal(
        found.layers["maps"].maps, collect(classifier(), ["maps"], probe).layers["maps"].maps
    )
    with pytest.raises(XaiError, match=r"more than.*work folder"):
        collect(classifier(), ["maps"], probe, memory_limit=10)


def test_boxes_say_what_the_model_saw(probe, classifier):
    found = collect(classifier(box=(4.0, 0.0, 12.0, 8.0)), ["maps"], probe)
    np.testing.assert_allclose(found.boxes[0], [0.25, 0, 0.75, 0.5])
    assert found.layers["maps"].maps.shape == (7, 5, 2, 2)


def hooks(network):
    return sum(len(module._forward_hooks) for module in network.modules())


@pytest.mark.parametrize(
    ("layer", "match"),
    [
        ("twice", "runs 2 times"),
        ("pair", "returns a tuple"),
        ("nowhere", "nowhere"),
    ],
)
def test_unfit_layers_are_named_and_no_hook_stays(probe, layer, match, classifier):
    model = classifier()
    with pytest.raises(XaiError, match=match):
        collect(model, ["maps", layer], probe)
    assert hooks(model.network) == 0


def test_hooks_go_when_the_network_throws(probe, classifier, planted):
    class Throws(planted):
        def forward(self, x):
            super().forward(x)
            raise RuntimeError("out of memory")

    model = classifier(Throws())
    with pytest.raises(RuntimeError, match="out of memory"):
        collect(model, ["maps"], probe)
    assert hooks(model.network) == 0


def test_not_a_number_is_an_error_that_names_unit_and_image(probe, classifier):
    model = classifier()
    with torch.no_grad():
        model.network.maps.bias[2] = float("nan")
    with pytest.raises(XaiError, match=r"'maps', unit 2.* on 0 is not a finite number"):
        collect(model, ["maps"], probe)


def test_what_exceeds_half_precision_is_an_error(probe, classifier):
    model = classifier()
    with torch.no_grad():
        model.network.maps.bias[3] = 1e5
    with pytest.raises(XaiError, match=r"1e\+05 does not fit into float16.*float32"):
        collect(model, ["maps"], probe)
    assert collect(model, ["maps"], probe, dtype="float32").layers["maps"].dead[3]


def test_pictures_of_different_sizes_are_named(classifier):
    probe = ArrayProbe([np.zeros((16, 16, 3), np.uint8), np.zeros((16, 20, 3), np.uint8)], ids=["a", "b"])
    with pytest.raises(XaiError, match=r"probe image b.*\(3, 16, 20\)"):
        collect(classifier(), ["maps"], probe)
    with pytest.raises(XaiError, match="holds no image"):
        collect(classifier(), ["maps"], ArrayProbe([]))


def test_channels_last_maps_are_recognised(probe, classifier):
    class Last(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.swin = torch.nn.Identity()

        def forward(self, x):
            return self.swin(x.permute(0, 2, 3, 1))

    found = collect(classifier(Last()), ["swin"], probe).layers["swin"]
    assert found.maps.shape == (7, 3, 16, 16)
