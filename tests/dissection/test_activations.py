"""One pass over a probe set: the numbers of a plain pass, and a network left as it was."""

import numpy as np
import pytest
import torch

from xai_assets.dissection.activations import Activations, collect
from xai_assets.dissection.probe import ArrayProbe
from xai_assets.dissection.sparse_maps import ABSENT
from xai_assets.dissection.thresholds import top_quantile_thresholds
from xai_assets.errors import XaiError


@pytest.fixture
def probe():
    return ArrayProbe(list(np.random.default_rng(1).integers(0, 256, (7, 16, 16, 3), np.uint8)))


def test_all_layers_come_from_one_pass(probe, classifier):
    model = classifier()
    passes = []
    model.network.register_forward_hook(lambda *_: passes.append(1))
    found = collect(model, ["maps", "tokens", "vector"], probe, batch_size=3)
    assert len(passes) == 3  # 3 + 3 + 1 images
    maps, tokens, vector = (found.layers[name] for name in ("maps", "tokens", "vector"))
    batch = torch.stack([model.preprocessing.tensor(probe.image(i)) for i in range(7)])
    expected = torch.nn.functional.avg_pool2d(batch, 4).numpy()
    for image in range(7):
        for unit in range(3):
            kept = maps.maps.find(image, unit)
            if kept is not None:
                there = kept > ABSENT
                np.testing.assert_allclose(kept[there], expected[image, unit][there], rtol=1e-6)
    np.testing.assert_allclose(maps.pooled[:, :3], expected.mean((2, 3)), rtol=1e-5)
    np.testing.assert_allclose(maps.peak[:, :3], expected.max((2, 3)), rtol=1e-6)
    np.testing.assert_allclose(tokens.pooled, maps.pooled, rtol=1e-5)  # the class token is left out
    np.testing.assert_allclose(vector.pooled, maps.pooled, rtol=1e-5)
    assert (maps.kind, tokens.kind, vector.kind) == ("map", "tokens", "vector")
    assert tokens.maps.shape == (7, 5, 4, 4) and vector.maps is None and maps.pooled.dtype == np.float32
    assert maps.dead.tolist() == [False, False, False, True, True]  # constant, and never above zero


def test_arrays_and_back(probe, classifier):
    found = collect(classifier(), ["maps", "vector"], probe)
    back = Activations.from_arrays(found.to_arrays(), found.to_meta())
    assert back.ids == found.ids and list(back.layers) == ["maps", "vector"]
    for mine, other in zip(all_maps(back), all_maps(found), strict=True):
        np.testing.assert_array_equal(mine, other)
    assert collect(classifier(), ["maps"], probe, with_maps=False).layers["maps"].maps is None


def all_maps(found):
    """Units and maps, image by image."""
    maps = found.layers["maps"].maps
    return [array for image in range(maps.shape[0]) for array in maps.of_image(image)]


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
        ("pair", "gives a tuple"),
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


def noise_probe(count, seed=0):
    """Pictures, some of them dark all over, some bright, so that bounds rise in jumps."""
    rng = np.random.default_rng(seed)
    return ArrayProbe(
        [rng.integers(0, rng.integers(2, 257), (16, 16, 3), dtype=np.uint8) for _ in range(count)]
    )


def dense(model, probe):
    batch = torch.stack([model.preprocessing.tensor(probe.image(i)) for i in range(len(probe))])
    return model.network.maps(torch.nn.functional.avg_pool2d(batch, 4)).detach().numpy()


@pytest.mark.parametrize("quantile", [0.005, 0.03, 0.2])
def test_what_is_let_go_never_matters(classifier, monkeypatch, quantile):
    monkeypatch.setattr("xai_assets.dissection.activations.CHUNK_IMAGES", 32)
    model, probe = classifier(), noise_probe(200)
    chunks = []
    found = collect(
        model,
        ["maps"],
        probe,
        quantile=quantile,
        batch_size=16,
        keep=lambda chunk: chunks.append(chunk) or chunk,
    )
    assert [len(chunk.ids) for chunk in chunks] == [32] * 6 + [8]
    layer, plain = found.layers["maps"], dense(model, probe)
    flat = plain.transpose(1, 0, 2, 3).reshape(5, -1)
    levels = np.sort(flat, axis=1)[:, -(int(quantile * flat.shape[1]) + 1)]
    np.testing.assert_allclose(top_quantile_thresholds(layer, quantile), levels, rtol=1e-6)
    assert not layer.wanting(top_quantile_thresholds(layer, quantile)).any()
    kept = (layer.maps.stop - layer.maps.start).sum()
    assert kept < (1 if quantile > 0.1 else 0.5) * plain.size
    np.testing.assert_allclose(layer.peak, plain.max((2, 3)), rtol=1e-6)


def test_memory_closes_a_chunk(classifier):
    chunks = []
    probe = noise_probe(40)
    whole = collect(classifier(), ["maps"], probe, batch_size=8)
    parts = collect(
        classifier(),
        ["maps"],
        probe,
        batch_size=8,
        memory_limit=100,
        keep=lambda chunk: chunks.append(chunk) or chunk,
    )
    assert len(chunks) == 5
    np.testing.assert_array_equal(
        top_quantile_thresholds(parts.layers["maps"]), top_quantile_thresholds(whole.layers["maps"])
    )
    np.testing.assert_array_equal(parts.layers["maps"].pooled, whole.layers["maps"].pooled)
