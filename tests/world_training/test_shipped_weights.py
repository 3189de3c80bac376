"""The shipped weights, measured again on fresh scenes: what the README says of them holds."""

import pytest
import torch

from xai_assets.settings import shipped
from xai_assets.world.training.classifier_task import TASKS
from xai_assets.world.training.data import render_split
from xai_assets.world.training.evaluate import predictions, word_presence, zero_shot
from xai_assets.world.training.measuring import pooled_activations, read_classifier, read_encoder

WORLD = shipped("world")
FIRST = 10_000
"""Beyond the scenes that the model cards are measured on."""


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def fresh():
    return render_split("test", 500, first=FIRST, workers=1)


@pytest.mark.parametrize(("name", "least"), [("object", 0.96), ("scene", 0.99)])
def test_classifiers(fresh, name, least):
    task = TASKS[name]
    predicted = predictions(read_classifier(WORLD / f"{name}.safetensors", task), fresh.images)
    assert (predicted == getattr(fresh, task.labels)).mean() >= least


def test_the_encoder_tells_objects_scenes_and_concepts_without_having_been_asked_to(fresh):
    encoder = read_encoder(WORLD)
    found = zero_shot(encoder.embed_images(fresh.images), encoder.embed_texts, fresh)
    assert found.object["all"] >= 0.90
    assert found.scene["all"] >= 0.95
    assert found.mean_auc() >= 0.85


def test_its_words_for_the_object_classifiers_units_are_true_of_their_top_pictures():
    # Scenes on which no constant was chosen.
    scenes = render_split("test", 1000, first=FIRST, workers=1)
    encoder = read_encoder(WORLD)
    network = read_classifier(WORLD / "object.safetensors", TASKS["object"])
    pooled = pooled_activations(network, "layer4", scenes.images)
    found = word_presence(encoder.embed_images(scenes.images), encoder.embed_texts, pooled, scenes)
    assert found.units > 200
    assert found.majority >= 0.70
    assert found.mean > 3 * found.chance


def test_all_shipped_weights_together_are_small():
    weights = [*WORLD.glob("*.safetensors"), *(WORLD / "clip").iterdir()]
    assert 5e6 < sum(path.stat().st_size for path in weights) < 15e6


@pytest.mark.parametrize("name", ["object", "scene", "clip"])
def test_every_model_has_its_card(name):
    card = (WORLD / f"MODEL_CARD_{name}.md").read_text(encoding="utf-8")
    assert "xai world train" in card
    assert "split `test`" in card
