"""Training from nothing, on a handful of scenes: it learns, and a seed gives the same bytes again."""

import pytest
import torch

from xai_assets.errors import XaiError
from xai_assets.world.training import run
from xai_assets.world.training.making import make
from xai_assets.world.training.recipe import Recipe

TINY = Recipe(
    scenes={"close": 24, "train": 24, "swatch": 12},
    object_steps=3,
    scene_steps=3,
    image_steps=3,
    text_steps=3,
)
FRESH = {"test": 40, "probe": 110}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("scenes")


def train(output, cache, only):
    torch.manual_seed(123)  # what was drawn before must not matter
    return make(
        output, only=only, progress=lambda line: None, cache=cache, workers=1, recipe=TINY, fresh=FRESH
    )


@pytest.mark.parametrize("name", ["object", "scene"])
def test_a_seed_gives_the_same_classifier_to_the_byte(tmp_path, cache, name):
    first = train(tmp_path / "1", cache, (name,))
    torch.rand(7)
    train(tmp_path / "2", cache, (name,))
    weights = [(tmp_path / turn / f"{name}.safetensors").read_bytes() for turn in ("1", "2")]
    assert weights[0] == weights[1]
    assert 0 <= first[name]["accuracy"]["all"] <= 1
    assert f"{name}.safetensors" in (tmp_path / "1" / f"MODEL_CARD_{name}.md").read_text(encoding="utf-8")


def test_the_encoder_is_written_as_open_clip_reads_it(tmp_path, cache):
    found = train(tmp_path, cache, ("clip",))["clip"]
    assert sorted(path.name for path in (tmp_path / "clip").iterdir()) == [
        "bpe_vocab.txt.gz", "open_clip_config.json", "open_clip_model.safetensors",
    ]  # fmt: skip
    assert set(found["category_auc"]) <= {"object", "part", "scene", "material", "texture", "color"}


def test_unknown_weights_are_named(tmp_path):
    with pytest.raises(XaiError, match="nonsense"):
        run(tmp_path, only=("nonsense",))
