"""Two runs from nothing leave the same bytes; what was measured on the way is beside them."""

import json

import pytest

from tests.conftest import TINY_STUDY
from xai_assets.analysis.explanations import maps
from xai_assets.analysis.images import images
from xai_assets.analysis.predictions import predictions
from xai_assets.analysis.workbench import Workbench
from xai_assets.resources.frames import content_version
from xai_assets.resources.store import ArtifactError
from xai_assets.settings import Settings

PREDICTIONS = 1
"""Images whose classes are predicted, in each run."""


@pytest.fixture
def bench(tmp_path):
    def opened(name):
        folder = tmp_path / name
        (folder / "studies").mkdir(parents=True, exist_ok=True)
        (folder / "studies" / "tiny.yaml").write_text(TINY_STUDY, encoding="utf-8")
        return Workbench.open("tiny", Settings.from_environment({"XAI_DATA": str(folder)}))

    return opened


def run(bench):
    pictures = images(bench)
    explained = predictions(bench, pictures)
    return explained, pictures, maps(bench, explained, pictures, "gradcam")


def content(bench, suffix):
    root = bench.store.root
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob(f"*{suffix}")}


def test_artifacts_are_equal_to_the_byte_and_costs_are_beside_them(bench):
    tables = [run(bench(name)) for name in ("one", "two")]
    one, two = (content(bench(name), ".safetensors") for name in ("one", "two"))
    assert one == two and any(name.startswith("maps_blocks/") for name in one)
    assert content_version(*tables[0]) == content_version(*tables[1])
    [cost] = [json.loads(found) for found in content(bench("one"), ".cost.json").values()]
    [cost] = cost["of"].values()
    row = tables[0][2].iloc[0]
    assert (cost["seconds"], cost["device"]) == (row["seconds"], row["device"]) and cost["cpu_threads"] >= 1
    assert not any(b"seconds" in found or b"peak_memory" in found for found in one.values())


def test_the_cost_of_a_map_is_kept_for_later_runs(bench):
    first = run(bench("one"))[2].iloc[0]
    again = bench("one")
    assert run(again)[2].iloc[0]["seconds"] == first["seconds"]
    assert again.tally.computed == PREDICTIONS


@pytest.mark.parametrize("damage", ['{"artifact": "maps/x", "seconds": 1}', None])
def test_a_map_without_its_cost_is_computed_again(bench, damage):
    run(bench("one"))
    before = content(bench("one"), ".safetensors")
    [path] = bench("one").store.root.rglob("*.cost.json")
    path.unlink() if damage is None else path.write_text(damage, encoding="utf-8")
    again = bench("one")
    assert run(again)[2].iloc[0]["seconds"] > 0
    assert again.tally.computed == PREDICTIONS + 1
    assert content(again, ".safetensors") == before


@pytest.mark.parametrize("kind", ["pictures_blocks", "views_blocks", "maps_blocks"])
def test_a_cut_artifact_is_made_again_named_and_loses_no_image(bench, kind):
    before = run(bench("one"))[2]
    files = content(bench("one"), ".safetensors")
    [path] = (bench("one").store.root / kind).rglob("*.safetensors")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    again = bench("one")
    after = run(again)[2]
    measured = ["seconds", "peak_memory_mib"]
    assert after.drop(columns=measured).equals(before.drop(columns=measured))
    assert content(again, ".safetensors") == files
    assert str(path) in again.tally.as_metadata()["made_again"]
    assert not again.tally.problems


def test_a_damaged_artifact_of_a_step_above_is_an_error_and_drops_no_image(bench):
    pictures = images(bench("one"))
    explained = predictions(bench("one"), pictures)
    [path] = (bench("one").store.root / "pictures_blocks").rglob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-1])
    again = bench("one")
    for step in (lambda: predictions(again, pictures), lambda: maps(again, explained, pictures, "gradcam")):
        with pytest.raises(ArtifactError, match="made again") as caught:
            step()
        assert str(path) in str(caught.value)
    assert not again.tally.left_out
