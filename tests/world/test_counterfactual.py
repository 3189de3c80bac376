import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from xai_assets.world.counterfactual import CHANGES, DECIDING_PART, variants
from xai_assets.world.description import describe
from xai_assets.world.errors import WorldError
from xai_assets.world.part import MAIN
from xai_assets.world.pose import placed_parts, silhouette
from xai_assets.world.render import render
from xai_assets.world.vocabulary import CLASSES

SCENES = [("test", index, 1) for index in range(8)] + [("demo", index, 2) for index in range(3)]


@pytest.fixture(scope="module", params=SCENES, ids=str)
def pair(request):
    split, index, targets = request.param
    description = describe(split, index, targets=targets)
    changed = {name: render(value) for name, value in variants(description).items()}
    return render(description), changed


def differing(first, second):
    return (first.image != second.image).any(-1)


def reach(*rendered):
    """Where the first target can tell: the pixels it covers, hidden ones too, its outline, and the blur's reach."""
    covered = [silhouette(placed_parts(picture.description.targets[0])) for picture in rendered]
    return binary_dilation(np.logical_or.reduce(covered), np.ones((3, 3)), iterations=4)


def test_all_changes_are_there_and_named(pair):
    original, changed = pair
    assert tuple(changed) == CHANGES
    assert {c.id for c in changed.values()} == {f"{original.id}-{name}" for name in CHANGES}
    for rendered in changed.values():
        assert rendered.description.camera == original.description.camera
        assert rendered.description.distractors == original.description.distractors
        assert rendered.description.occluder == original.description.occluder
        assert rendered.description.targets[1:] == original.description.targets[1:]


def test_a_removed_part_is_gone_and_nothing_else_changes(pair):
    original, removed = pair[0], pair[1]["part_removed"]
    part = DECIDING_PART[original.targets[0].class_name]
    assert part not in removed.targets[0].parts
    away = original.targets[0].mask & ~removed.targets[0].mask
    if part in original.targets[0].parts:
        assert differing(original, removed)[original.targets[0].parts[part]].any()
    assert not (removed.targets[0].mask & ~original.targets[0].mask).any()
    assert not differing(original, removed)[~reach(original)].any()
    elsewhere = ~original.targets[0].mask
    for category, labels in original.labels.items():
        assert (labels[elsewhere] == removed.labels[category][elsewhere]).all()
    assert away.sum() < original.targets[0].mask.sum()  # something is left of it


@pytest.mark.parametrize("change", ["recoloured", "retextured"])
def test_another_surface_leaves_the_mask_and_all_around_it(pair, change):
    original, changed = pair[0], pair[1][change]
    for before, after in zip(original.targets, changed.targets, strict=True):
        assert (before.mask == after.mask).all()
        assert before.parts.keys() == after.parts.keys()
    for category in ("object", "part"):
        assert (original.labels[category] == changed.labels[category]).all()
    mask = original.targets[0].mask
    assert differing(original, changed)[mask].mean() > 0.2
    assert not differing(original, changed)[~reach(original)].any()
    before, after = (r.description.targets[0].finish(MAIN) for r in (original, changed))
    assert (before.color == after.color) == (change == "retextured")
    assert (before.name == after.name) == (change == "recoloured")
    assert before.seed == after.seed


def test_a_moved_target_stands_elsewhere_and_the_rest_stays(pair):
    original, changed = pair[0], pair[1]["moved"]
    before, after = original.description.targets[0], changed.description.targets[0]
    assert np.hypot(before.x - after.x, before.y - after.y) > 15
    assert (before.shape_seed, before.half, before.finishes) == (after.shape_seed, after.half, after.finishes)
    assert 0.55 < changed.targets[0].area / original.targets[0].area < 1.8
    if len(original.targets) == 2:
        assert (original.targets[1].mask == changed.targets[1].mask).all()
    far = ~reach(original, changed)
    same = (original.labels["object"] == changed.labels["object"])[far]
    assert same.all()


def test_another_background_keeps_every_target(pair):
    original, changed = pair[0], pair[1]["background_replaced"]
    assert changed.scene != original.scene
    for before, after in zip(original.targets, changed.targets, strict=True):
        assert (before.mask == after.mask).all()
        inner = ~binary_dilation(~before.mask, np.ones((3, 3)), iterations=4)
        # The background shows a little through the seam between two parts' soft edges, and nowhere else.
        difference = np.abs(original.image.astype(int) - changed.image).max(-1)[inner]
        assert (difference > 0).mean() < 0.2
        assert difference.max(initial=0) < 40
    assert differing(original, changed).mean() > 0.4


def test_the_same_change_twice_is_the_same():
    assert variants(describe("test", 5)) == variants(describe("test", 5))


def test_every_class_has_a_deciding_part():
    assert set(DECIDING_PART) == set(CLASSES)


def test_a_swatch_has_nothing_to_change():
    with pytest.raises(WorldError, match="no target"):
        variants(describe("swatch", 0))


@pytest.mark.parametrize("index", range(12))
def test_the_deciding_part_is_what_goes_when_it_is_removed(index):
    original = render(describe("test", index))
    part = original.targets[0].deciding_part
    assert part.dtype == bool and (part & ~original.targets[0].mask).sum() == 0
    without = render(variants(original.description)["part_removed"])
    assert not without.targets[0].deciding_part.any()
    kept = original.targets[0].mask & ~part
    assert (kept & ~without.targets[0].mask).sum() == 0  # what is no part of it stays
