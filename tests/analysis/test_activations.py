"""Activations are kept by image: what is known is read, what is new or not enough is computed, and nothing else."""

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from xai_assets.analysis import activations as steps
from xai_assets.analysis.activation_store import KIND
from xai_assets.analysis.concepts import netdissect_concepts
from xai_assets.analysis.probe import probe_set
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.thresholds import top_quantile_thresholds
from xai_assets.dissection.unit_concepts import NET_TABLE
from xai_assets.settings import Settings
from xai_assets.vision.layers import UnknownLayer

torch.set_num_threads(1)
LAYERS = ["layer3", "layer4", "fc"]


def opened(folder):
    settings = Settings.from_environment({"XAI_DATA": str(folder), "XAI_DEVICE": "cpu"})
    return Workbench.open("mine", settings)


@pytest.fixture
def study(tmp_path):
    """Writes a study over a folder of pictures and opens its workbench, each time as a new run would."""

    def write(names, layers=LAYERS, **netdissect):
        folder = tmp_path / "pictures"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name in names:
            rng = np.random.default_rng(list(name.encode()))
            pixels = rng.integers(0, rng.integers(2, 256), (4, 4, 3), dtype=np.uint8)
            Image.fromarray(pixels).resize((128, 128), Image.Resampling.BICUBIC).save(folder / f"{name}.png")
        (tmp_path / "studies").mkdir(exist_ok=True)
        (tmp_path / "studies" / "mine.yaml").write_text(
            yaml.safe_dump(
                {
                    "title": "mine",
                    "dissection": {
                        "models": [{"model": "diorama/object", "layers": layers}],
                        "probe": {"folder": str(folder)},
                        "encoder": "diorama/clip",
                        "netdissect": netdissect,
                    },
                }
            )
        )
        bench = opened(tmp_path)
        table = steps.unit_activations(bench, probe_set(opened(tmp_path)))
        return bench, steps.read_activations(bench, table, "diorama/object"), table

    return write


@pytest.fixture
def passes(monkeypatch):
    """The number of images of every pass over a probe set."""
    seen = []
    collect = steps.collect

    def counted(*args, **kwargs):
        seen.append(len(kwargs["indices"]))
        return collect(*args, **kwargs)

    monkeypatch.setattr(steps, "collect", counted)
    return seen


def names(count, prefix="a"):
    return [f"{prefix}{number:02d}" for number in range(count)]


def test_a_new_image_costs_only_itself(study, passes):
    _, before, _ = study(names(12))
    _, again, table = study(names(12))
    assert passes == [12] and table["units"].tolist() == [128, 256, 12]
    _, more, _ = study([*names(12), "b"])
    assert passes[1] == 1  # and of the others at most those whose maps were let go
    for layer in ("layer3", "fc"):
        np.testing.assert_array_equal(again.layers[layer].pooled, before.layers[layer].pooled)
        np.testing.assert_array_equal(more.layers[layer].pooled[:12], before.layers[layer].pooled)
    _, fewer, _ = study(["a03", "a07"])
    np.testing.assert_array_equal(fewer.layers["layer4"].peak, before.layers["layer4"].peak[[3, 7]])


def test_reused_and_computed_count_images(study):
    assert counts(study(names(6))) == (6, 0)
    assert counts(study(names(6))) == (0, 6)
    assert counts(study([*names(6), "a00b"])) == (1, 6)


def counts(run):
    return run[0].tally.computed, run[0].tally.reused


def test_answers_do_not_depend_on_what_was_known(study, tmp_path):
    study(names(3), quantile=0.001)  # keeps hardly anything
    study(names(30, "b"), quantile=0.001)
    _, grown, _ = study([*names(3), *names(30, "b"), "c"], quantile=0.3)
    for file in (tmp_path / "artifacts" / KIND).rglob("*.safetensors"):
        file.unlink()
    _, fresh, _ = study([*names(3), *names(30, "b"), "c"], quantile=0.3)
    assert grown.ids == fresh.ids
    for name in ("layer3", "layer4"):
        mine, other = grown.layers[name], fresh.layers[name]
        np.testing.assert_allclose(
            top_quantile_thresholds(mine, 0.3), top_quantile_thresholds(other, 0.3), rtol=1e-5, atol=1e-6
        )


def test_exactly_the_images_with_too_little_are_shown_again(study, passes):
    _, little, _ = study(names(40), quantile=0.001)
    bench, found, _ = study(names(40), quantile=0.02)
    too_little = np.zeros(40, bool)
    for name in ("layer3", "layer4"):
        layer, levels = little.layers[name], top_quantile_thresholds(found.layers[name], 0.02)
        assert not found.layers[name].wanting(levels).any()
        too_little |= layer.wanting(levels).any(axis=1)
    assert passes[1] == bench.tally.computed and too_little.sum() <= passes[1] <= 40
    assert bench.tally.reused == 40 - passes[1]
    study(names(40), quantile=0.02)
    study(names(40), quantile=0.001)
    assert len(passes) == 2  # what was kept for the larger quantile answers both


def test_the_same_picture_under_two_names_is_computed_once(study, passes, tmp_path):
    _, found, _ = study(names(4))
    (tmp_path / "pictures" / "z.png").write_bytes((tmp_path / "pictures" / "a01.png").read_bytes())
    bench = opened(tmp_path)
    table = steps.unit_activations(bench, probe_set(opened(tmp_path)))
    twice = steps.read_activations(bench, table, "diorama/object")
    assert passes == [4] and len(twice.ids) == 5
    np.testing.assert_array_equal(twice.layers["layer4"].pooled[4], found.layers["layer4"].pooled[1])


def test_a_killed_run_keeps_its_finished_chunks(study, passes, monkeypatch, tmp_path):
    monkeypatch.setattr("xai_assets.dissection.activations.CHUNK_IMAGES", 4)
    collect = steps.collect

    def killed(*args, keep, **kwargs):
        done = []

        def keep_two(chunk):
            if len(done) == 2:
                raise KeyboardInterrupt
            done.append(chunk)
            return keep(chunk)

        return collect(*args, **kwargs | {"keep": keep_two, "batch_size": 4})

    with monkeypatch.context() as patch:
        patch.setattr(steps, "collect", killed)
        with pytest.raises(KeyboardInterrupt):
            study(names(14))
    assert not list((tmp_path / "artifacts").rglob("*.part"))
    _, found, _ = study(names(14))
    assert passes[:2] == [14, 6] and len(found.ids) == 14


def test_an_unknown_layer_is_named_and_nothing_is_written(study, tmp_path):
    with pytest.raises(UnknownLayer, match=r"layer5.*Did you mean 'layer"):
        study(names(3), layers=["layer4", "layer5"])
    assert not (tmp_path / "artifacts" / KIND).exists()


def test_without_labels_there_are_no_pixel_labels(study):
    bench, _, table = study(names(3))
    unlabelled = pd.DataFrame([{"labelled": False, "sha256": "0" * 8}])
    found = netdissect_concepts(bench, unlabelled, table)
    assert len(found) == 0 and list(found.columns) == list(NET_TABLE)
