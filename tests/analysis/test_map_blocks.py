"""Maps of many images share files: as one by one, and neither a kill, a bad image nor an old folder costs another map."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.test_explanations import draw, place, step, stored  # noqa: F401  (place is a fixture)
from tests.conftest import CHECKOUT
from xai_assets.analysis import filling, map_blocks
from xai_assets.analysis.explanations import maps
from xai_assets.analysis.map_facts import map_facts
from xai_assets.analysis.predictions import explained_classifier
from xai_assets.analysis.workbench import Tally
from xai_assets.attribution.explain import Explainer
from xai_assets.errors import XaiError
from xai_assets.resources import block_file
from xai_assets.resources.costs import COST

METHODS = ("gradcam", "hirescam", "eigencam")
MEASURED = ["seconds", "peak_memory_mib"]


@pytest.fixture
def many(place, monkeypatch):  # noqa: F811
    """Seven images, three a block and two a pass."""
    for number in range(3, 7):
        draw(place / "photographs", number, number)
    for module in (map_blocks, filling):
        monkeypatch.setattr(module, "BLOCK", 3)
    monkeypatch.setattr(map_blocks, "BATCH", 2)
    return place


def blocks(bench, kind="maps"):
    return sorted((bench.store.root / f"{kind}_blocks").rglob("*.safetensors"))


def contents(bench):
    return {path.relative_to(bench.store.root): path.read_bytes() for path in blocks(bench)}


def in_own_files(store):
    """The store as a version without blocks left it."""
    for path in list(store.root.glob("*_blocks/*/*.safetensors")):
        kind = path.parent.parent.name.removesuffix(block_file.SUFFIX)
        for one in list(block_file.each(path, f"{kind}_blocks/{path.stem}")):
            key, *raw = one.names
            arrays, meta = store.get(kind, key)
            meta.pop("density", None)
            if raw:
                store.put_cost("attributions", raw[0], store.cost(kind, raw[0]))
                unmasked = {name: array for name, array in arrays.items() if name != "mask"}
                said = {name: value for name, value in meta.items() if name not in ("policy", "threshold")}
                store.put("attributions", raw[0], unmasked, said)
            store.put(kind, key, arrays, meta)
        path.unlink()
        path.with_suffix(COST).unlink(missing_ok=True)


def test_maps_are_those_of_one_call_each(many):
    bench, tables, (cases, images) = step(many, *METHODS)
    assert len(blocks(bench)) == 3 * len(METHODS)
    for method, table in zip(METHODS, tables, strict=True):
        explainer = Explainer(method, explained_classifier(bench), layer="layer1")
        for row in table.to_dict("records"):
            (picture,) = images.loc[images["image_id"] == row["image_id"], "picture"]
            one = explainer(bench.store.get("pictures", picture)[0]["pixels"], row["target_index"])
            found = bench.store.get("maps", row["artifact"])[0]
            np.testing.assert_allclose(found["values"], one.values, rtol=1e-4, atol=1e-5 * one.values.max())
            assert row["density"] == found["mask"].mean() and row["raw_max"] == found["values"].max()
        facts = map_facts(bench, table, cases)
        assert len(facts) == 7 and facts[["finite", "as_said", "framed"]].all(axis=None)


def test_files_are_few_and_small(many):
    bench, _, _ = step(many, "gradcam")
    assert not list((bench.store.root).glob("maps/*/*")) and not list(
        bench.store.root.glob("attributions/*/*")
    )
    size = sum(path.stat().st_size for path in blocks(bench))
    assert size / 7 < 10_000 < bench.store.get("maps", maps_of(bench)[0])[0]["values"].nbytes


def maps_of(bench):
    return [
        one.names[0] for path in blocks(bench) for one in block_file.each(path, f"maps_blocks/{path.stem}")
    ]


def test_two_runs_leave_the_same_bytes_and_nothing_is_computed_twice(many):
    one, tables, _ = step(many, *METHODS)
    again, tables_again, _ = step(many, *METHODS)
    assert (again.tally.computed, again.tally.reused) == (0, 21)
    for table, other in zip(tables, tables_again, strict=True):
        assert table.equals(other)
    two, _, _ = step(many, *METHODS, results="elsewhere")
    assert contents(one) == contents(two) and len(contents(one)) == 9


def test_a_changed_image_and_new_ones_are_computed_alone(many):
    first, (table,), _ = step(many, "gradcam")
    before = stored(first, table)
    draw(many / "photographs", 4, 77)
    draw(many / "photographs", 0.5, 78)
    edited, (after,), _ = step(many, "gradcam")
    assert (edited.tally.computed, edited.tally.reused) == (2, 6)
    now = stored(edited, after)
    assert {key for key in before if before[key] != now[key]} == {("4.png", "gradcam")}


def test_another_policy_makes_masks_and_no_map(many):
    first, (table,), given = step(many, "gradcam")
    policy = first.attribution.binarisation.model_copy(update={"policy": "fixed", "value": 0.9})
    attribution = first.attribution.model_copy(update={"binarisation": policy})
    study = first.study.model_copy(update={"attribution": attribution})
    first = replace(first, file=replace(first.file, study=study), tally=Tally())
    other = maps(first, *given, "gradcam")
    assert (first.tally.computed, first.tally.reused) == (0, 7)
    assert set(other["artifact"]).isdisjoint(table["artifact"]) and set(other["threshold"]) == {0.9}
    assert stored(first, other) == stored(first, table)
    first.tally.reused = 0
    assert maps(first, *given, "gradcam").equals(other) and first.tally.reused == 7


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.analysis import test_explanations as tests
from xai_assets.analysis import map_blocks
from xai_assets.resources.store import ArtifactStore

map_blocks.BLOCK, map_blocks.BATCH = 3, 2
keep = ArtifactStore.put_block
def put_block(self, kind, members, *more):
    if kind == "maps" and sorted(self.root.glob("maps_blocks/*/*.safetensors")):
        os.kill(os.getpid(), signal.SIGKILL)  # the second block is computed, and not yet kept
    keep(self, kind, members, *more)
ArtifactStore.put_block = put_block
tests.step(Path(sys.argv[1]), "gradcam")
"""


def test_a_killed_step_goes_on_with_the_block_that_it_was_in(many):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(many)],
        cwd=CHECKOUT,
        capture_output=True,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    bench, (table,), _ = step(many, "gradcam")
    assert (bench.tally.computed, bench.tally.reused) == (4, 3)
    whole, (calm,), _ = step(many, "gradcam", results="calm")
    assert contents(bench) == contents(whole)
    assert table.drop(columns=MEASURED).equals(calm.drop(columns=MEASURED))


def test_one_bad_image_of_a_batch_costs_no_other(many, monkeypatch):
    together, asked = Explainer.together, []

    def spoil(self, batch):
        asked.append([one.image_id for one in batch])
        found = together(self, batch)
        bad = np.full_like(found[0].values, np.nan)
        return [replace(one, values=bad) if one.image_id == "1.png" else one for one in found]

    monkeypatch.setattr(Explainer, "together", spoil)
    bench, (table,), _ = step(many, "gradcam")
    assert table["image_id"].tolist() == [f"{n}.png" for n in range(7) if n != 1]
    (problem,) = bench.tally.problems
    assert "1.png" in problem and "not finite" in problem
    assert asked[:4] == [["0.png", "1.png"], ["0.png"], ["1.png"], ["2.png"]]
    assert asked[4:6] == [["3.png", "4.png"], ["5.png"]]
    monkeypatch.setattr(Explainer, "together", together)
    again, (table,), _ = step(many, "gradcam")
    assert (again.tally.computed, again.tally.reused, len(table)) == (1, 6, 7)


def test_where_no_map_can_be_made_the_step_fails(many, monkeypatch):
    def fail(*given):
        raise XaiError("the layer", "has no map", "Name another.")

    monkeypatch.setattr(Explainer, "together", fail)
    with pytest.raises(XaiError, match="has no map"):
        step(many, "gradcam")


@pytest.mark.parametrize("damaged", [0, 2])
def test_a_damaged_map_is_made_again_named_and_costs_no_other(many, damaged):
    first, (table,), _ = step(many, "gradcam")
    before = contents(first)
    path = blocks(first)[0]
    found = list(block_file.each(path, f"maps_blocks/{path.stem}"))
    whole = path.read_bytes()
    at = whole.rindex(found[damaged if damaged < len(found) else -1].content)
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    again, (after,), _ = step(many, "gradcam")
    assert (again.tally.computed, again.tally.reused) == (1, 6)
    assert str(path) in again.tally.as_metadata()["made_again"]
    assert contents(again).keys() == before.keys()
    assert after.drop(columns=MEASURED)["artifact"].equals(table["artifact"])
    once_more, _, _ = step(many, "gradcam")
    assert once_more.tally.computed == 0 and not once_more.tally.unsound


def test_a_cut_block_is_made_again_as_it_was(many):
    first, (table,), _ = step(many, "gradcam")
    before = contents(first)
    path = blocks(first)[1]
    path.write_bytes(path.read_bytes()[:-3])
    again, (after,), _ = step(many, "gradcam")
    assert contents(again) == before and stored(again, after) == stored(first, table)
    assert again.tally.computed in (1, 3)


def test_maps_whose_cost_is_gone_are_made_again(many):
    first, _, _ = step(many, "gradcam")
    before = contents(first)
    [path, *_] = sorted(first.store.root.rglob(f"maps_blocks/*/*{COST}"))
    path.unlink()
    again, _, _ = step(many, "gradcam")
    assert again.tally.computed in (1, 3) and contents(again) == before


def test_the_folder_of_a_version_without_blocks_is_read_and_gone_on_with(many):
    first, tables, given = step(many, *METHODS)
    in_own_files(first.store)
    assert not list(first.store.root.glob("*_blocks/*/*.safetensors"))
    assert len(list(first.store.root.glob("maps/*/*.safetensors"))) == 21
    for table in tables:
        assert map_facts(first, table, given[0])[["finite", "as_said", "framed"]].all(axis=None)
    draw(many / "photographs", 4, 77)
    again, tables_again, _ = step(many, *METHODS)
    assert (again.tally.computed, again.tally.reused) == (3, 18)
    for table, other in zip(tables, tables_again, strict=True):
        same = table["image_id"] != "4.png"
        assert table[same].drop(columns=MEASURED).equals(other[same].drop(columns=MEASURED))
    assert len(blocks(again)) == 3  # of each method, the changed image
